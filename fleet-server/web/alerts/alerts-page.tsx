/** Alerts for everybody; what raises them and whom they reach for admins. */
import { Tabs } from '@mantine/core';
import { useLocation } from 'wouter';
import { PageHeading } from '../layout/page-heading.tsx';
import { useTitle } from '../layout/use-title.ts';
import { useMay } from '../session/person.tsx';
import { ChannelsPanel } from './channels-panel.tsx';
import { CurrentAlerts } from './current-alerts.tsx';
import { RulesPanel } from './rules-panel.tsx';

const parts = [
  { path: '/alerts', title: 'Alerts', Content: CurrentAlerts },
  { path: '/alerts/rules', title: 'Rules', Content: RulesPanel },
  { path: '/alerts/channels', title: 'Channels', Content: ChannelsPanel },
] as const;

export function AlertsPage() {
  const [path, goTo] = useLocation();
  const isAdmin = useMay('admin');
  const here = isAdmin ? (parts.find((part) => part.path === path) ?? parts[0]) : parts[0];
  useTitle(here.path === '/alerts' ? 'Alerts' : `Alerts: ${here.title.toLowerCase()}`);
  return (
    <>
      <PageHeading title="Alerts" words="What is wrong in the fleet, and who looks after it." />
      {isAdmin ? (
        <Tabs value={here.path} onChange={(next) => next !== null && goTo(next)} keepMounted={false}>
          <Tabs.List mb="md">
            {parts.map((part) => (
              <Tabs.Tab key={part.path} value={part.path}>
                {part.title}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {parts.map(({ path: value, Content }) => (
            <Tabs.Panel key={value} value={value}>
              <Content />
            </Tabs.Panel>
          ))}
        </Tabs>
      ) : (
        <CurrentAlerts />
      )}
    </>
  );
}
