/** A page that only admins may see; to others it says so instead of showing an empty form. */
import { Button, EmptyState } from '@mantine/core';
import { IconLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { useMay } from '../session/person.tsx';

export function AdminsOnly({ children }: { readonly children: ReactNode }) {
  const isAdmin = useMay('admin');
  if (isAdmin) return children;
  return (
    <EmptyState
      icon={<IconLock aria-hidden />}
      title="This page is for admins"
      description="Ask an admin of this fleet if you need something that is done here."
      mt={80}
    >
      <Button component={Link} href="/" variant="light">
        Devices
      </Button>
    </EmptyState>
  );
}
