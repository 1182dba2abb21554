/** A bug in one page leaves the header standing, and says so. */
import { Button, EmptyState } from '@mantine/core';
import { IconBug } from '@tabler/icons-react';
import { Component, type ReactNode } from 'react';

type State = { readonly message: string | null };

export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { message: null };

  static getDerivedStateFromError(error: unknown): State {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    if (this.state.message === null) return this.props.children;
    return (
      <EmptyState icon={<IconBug aria-hidden />} title="This page broke" description={this.state.message} mt={80}>
        <Button onClick={() => window.location.reload()}>Reload</Button>
      </EmptyState>
    );
  }
}
