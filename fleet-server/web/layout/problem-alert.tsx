/** An error where an answer should be, with the server's own words. */
import { Alert, Button, Group } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { messageOf } from '../api/api.ts';

type ProblemAlertProps = { readonly title: string; readonly error: unknown; readonly onRetry?: () => void };

export function ProblemAlert({ title, error, onRetry }: ProblemAlertProps) {
  return (
    <Alert color="red" variant="light" title={title} icon={<IconAlertTriangle aria-hidden />} role="alert">
      <Group justify="space-between" gap="sm">
        <span>{messageOf(error)}</span>
        {onRetry !== undefined && (
          <Button size="compact-sm" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}
