/** What stands where. */
import { Button, Center, EmptyState, Loader, MantineProvider } from '@mantine/core';
import { IconCloudOff, IconMapQuestion } from '@tabler/icons-react';
import { QueryClientProvider, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import { AccountPage } from './account/account-page.tsx';
import { AlertsPage } from './alerts/alerts-page.tsx';
import { messageOf } from './api/api.ts';
import { sessionQuery } from './api/queries.ts';
import { createQueryClient } from './api/query-client.ts';
import { AuditPage } from './audit/audit-page.tsx';
import { DevicePage } from './device/device-page.tsx';
import { DevicesPage } from './devices/devices-page.tsx';
import { AdminsOnly } from './layout/admins-only.tsx';
import { ErrorBoundary } from './layout/error-boundary.tsx';
import { Header } from './layout/header.tsx';
import classes from './layout/layout.module.css';
import { ConnectionBanner } from './layout/live-sign.tsx';
import { LiveProvider } from './live/live-provider.tsx';
import { MaintenancePage } from './maintenance/maintenance-page.tsx';
import { PeoplePage } from './people/people-page.tsx';
import { RolloutPage } from './rollouts/rollout-page.tsx';
import { PersonProvider } from './session/person.tsx';
import { SignInPage } from './session/sign-in-page.tsx';
import { FleetSettingsPage } from './settings/fleet-settings-page.tsx';
import { theme } from './theme.ts';
import { WatchdogPage } from './watchdog/watchdog-page.tsx';

function NotFoundPage() {
  return (
    <EmptyState
      icon={<IconMapQuestion aria-hidden />}
      title="There is no such page"
      description="It may have been here in an earlier version."
      mt={80}
    >
      <Button component={Link} href="/" variant="light">
        Devices
      </Button>
    </EmptyState>
  );
}

/** What is typed on one part of a device's page is still there after a look at another. */
function pageOf(path: string): string {
  const [, page = '', name = ''] = path.split('/');
  return page === 'devices' ? `/${page}/${name}` : path;
}

function Pages() {
  const [path] = useLocation();
  return (
    <LiveProvider>
      <Header />
      <ConnectionBanner />
      <main id="content" className={classes['content']} tabIndex={-1}>
        <ErrorBoundary key={pageOf(path)}>
          <Switch>
            <Route path="/" component={DevicesPage} />
            <Route path="/devices/:id/:part?">{({ id, part }) => <DevicePage key={id} id={id} part={part ?? ''} />}</Route>
            <Route path="/settings/:group?">{({ group }) => <FleetSettingsPage key={group ?? ''} group={group ?? null} />}</Route>
            <Route path="/rollouts/:id">{({ id }) => <RolloutPage key={id} id={id} />}</Route>
            <Route path="/alerts/:part?" component={AlertsPage} />
            <Route path="/maintenance" component={MaintenancePage} />
            <Route path="/watchdog/:group?">{({ group }) => <WatchdogPage key={group ?? ''} group={group ?? null} />}</Route>
            <Route path="/people">
              <AdminsOnly>
                <PeoplePage />
              </AdminsOnly>
            </Route>
            <Route path="/audit-log">
              <AdminsOnly>
                <AuditPage />
              </AdminsOnly>
            </Route>
            <Route path="/account" component={AccountPage} />
            <Route component={NotFoundPage} />
          </Switch>
        </ErrorBoundary>
      </main>
    </LiveProvider>
  );
}

function Session() {
  const session = useQuery(sessionQuery);
  if (session.data === null) return <SignInPage />;
  if (session.data !== undefined) {
    return (
      <PersonProvider value={session.data}>
        <Pages />
      </PersonProvider>
    );
  }
  return (
    <Center mih="100dvh" p="md">
      {session.isError ? (
        <EmptyState icon={<IconCloudOff aria-hidden />} title="The fleet server does not answer" description={messageOf(session.error)}>
          <Button loading={session.isFetching} onClick={() => void session.refetch()}>
            Try again
          </Button>
        </EmptyState>
      ) : (
        <Loader aria-label="Loading" />
      )}
    </Center>
  );
}

export function App({ styleNonce }: { readonly styleNonce: string }) {
  const [client] = useState(createQueryClient);
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => styleNonce}>
      <QueryClientProvider client={client}>
        <Session />
      </QueryClientProvider>
    </MantineProvider>
  );
}
