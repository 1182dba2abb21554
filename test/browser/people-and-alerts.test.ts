/** An admin and a person whom they add, each at a browser of their own: rights, channels, and an alert from its rise to its taking. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { desk, openBrowser, openPage, phone, screenshot } from '../e2e/dashboard.ts';
import { HttpReceiver } from '../fleet-server/alerts/receivers.ts';
import { until } from '../until.ts';
import { adminPassword, type SmallSystem, startSmallSystem } from './small-system.ts';

const receiver = new HttpReceiver();
let system: SmallSystem;
let browser: Browser;
let receiverUrl: string;

beforeAll(async () => {
  [system, browser, receiverUrl] = await Promise.all([startSmallSystem(), openBrowser(), receiver.start()]);
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await receiver.stop();
});

async function signInAs(page: Page, name: string, password: string): Promise<void> {
  await page.goto(system.url);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByTestId('device-card').first().waitFor();
}

async function chooseInAccount(page: Page, item: string): Promise<void> {
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('menuitem', { name: item }).click();
}

/** The answer is the password, which is shown this once. */
async function addPerson(page: Page, name: string): Promise<string> {
  await chooseInAccount(page, 'People');
  await page.getByRole('button', { name: 'Add a person' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const password = (await page.getByTestId('made-password').textContent()) ?? '';
  await page.getByRole('button', { name: 'Done' }).click();
  await page.locator(`[data-testid=person-row][data-person=${name}]`).waitFor();
  return password;
}

async function addChannel(page: Page, name: string): Promise<void> {
  await page.getByTestId('alert-bell').click();
  await page.getByRole('tab', { name: 'Channels' }).click();
  await page.getByRole('button', { name: 'Add a channel' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill(name);
  await page.getByRole('textbox', { name: 'Address' }).fill(`${receiverUrl}/hook`);
  await page.getByRole('textbox', { name: 'Secret' }).fill('known to both sides');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByTestId('channel-row').waitFor();
}

/** A device that is away is told at once, there. */
async function tellOfDevices(page: Page, channel: string): Promise<void> {
  await page.getByRole('tab', { name: 'Rules' }).click();
  await page.getByRole('button', { name: 'Change or remove A device is offline' }).click();
  await page.getByRole('menuitem', { name: 'Change' }).click();
  await page.getByLabel('For at least').fill('0');
  await page.getByPlaceholder('Nobody').click();
  await page.getByRole('option', { name: channel }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(`When a device is offline: told to ${channel}.`).waitFor();
}

const eventsAt = (path: string) =>
  receiver.notices.filter((notice) => notice.path === path).map(({ body }) => (JSON.parse(body) as { event: string }).event);

test('a person who was added sees what a viewer may see; an alert rises, is told, and is acknowledged', async () => {
  const { page: admin, complaints } = await openPage(browser, system.url, 'light', desk);
  const { page: ada, complaints: complaintsOfAda } = await openPage(browser, system.url, 'dark', phone);
  await signInAs(admin, 'admin', adminPassword);
  const password = await addPerson(admin, 'ada');

  await signInAs(ada, 'ada', password);
  await ada.getByRole('button', { name: 'Account' }).click();
  await ada.getByRole('menuitem', { name: 'Your account' }).waitFor();
  expect(await ada.getByRole('menuitem').allTextContents()).toEqual(['Your account', 'Maintenance', 'Watchdog', 'Sign out']);
  for (const path of ['/people', '/audit-log']) {
    await ada.goto(system.url + path);
    await ada.getByText('This page is for admins').waitFor();
  }
  await ada.goto(`${system.url}/alerts/channels`);
  await ada.getByTestId('no-alerts').waitFor();
  expect(await ada.getByRole('tab').count()).toBe(0);

  await addChannel(admin, 'On call');
  await admin.getByRole('button', { name: 'Send a test to On call' }).click();
  await admin.locator('[data-testid=test-result][data-kind=told]').waitFor();
  expect(eventsAt('/hook')).toEqual(['test']);
  expect(receiver.notices[0]?.headers['x-makespacelive-signature']).toMatch(/^sha256=/);
  expect(await admin.getByText('known to both sides').count()).toBe(0);
  receiver.status = 500;
  await admin.getByRole('button', { name: 'Send a test to On call' }).click();
  await admin.locator('[data-testid=test-result][data-kind=not-told]').waitFor();
  receiver.status = 200;

  await tellOfDevices(admin, 'On call');
  await system.stopDevice();
  const isOpen = '[data-testid=alert-bell][data-open="1"]';
  await Promise.all([admin.locator(isOpen).waitFor(), ada.locator(isOpen).waitFor()]);
  const ofAda = ada.getByTestId('alert');
  await ofAda.getByText(`${system.deviceName} is offline`).waitFor();
  expect(await ada.getByRole('button', { name: /^Acknowledge/ }).count()).toBe(0);
  await until('the alert to be told', 10_000, () => eventsAt('/hook').includes('opened'));

  await admin.getByRole('tab', { name: 'Alerts' }).click();
  // Nothing on the page counted time until now: it must not begin with the time of long ago.
  expect(await admin.getByTestId('alert').textContent()).toMatch(/Since (just now|\d+ s ago)/);
  await screenshot(admin, 'alert-open-light-desk');
  await screenshot(ada, 'alert-open-dark-phone');
  await admin.getByRole('button', { name: `Acknowledge: ${system.deviceName} is offline` }).click();
  await ada.locator('[data-testid=alert][data-state=acknowledged]').waitFor();
  await ada.getByText('admin looks after it').waitFor();
  await admin.locator('[data-testid=alert-bell][data-open="0"]').waitFor();

  await chooseInAccount(admin, 'Audit log');
  for (const action of ['person-added', 'alert-channel-added', 'alert-rule-changed']) {
    await admin.locator(`[data-testid=audit-entry][data-action=${action}]`).waitFor();
  }
  expect([...complaints, ...complaintsOfAda]).toEqual([]);
  await Promise.all([admin.context().close(), ada.context().close()]);
});

const pages = [
  { name: 'alerts', path: '/alerts', isThere: '[data-testid=alert], [data-testid=no-alerts]' },
  { name: 'alert-rules', path: '/alerts/rules', isThere: '[data-testid=rule-row]' },
  { name: 'alert-channels', path: '/alerts/channels', isThere: '[data-testid=channel-row]' },
  { name: 'people', path: '/people', isThere: '[data-testid=person-row]' },
  { name: 'audit-log', path: '/audit-log', isThere: '[data-testid=audit-entry]' },
  { name: 'maintenance', path: '/maintenance', isThere: 'text=No maintenance is planned' },
  { name: 'watchdog', path: '/watchdog', isThere: '[data-testid=watchdog-origin]' },
  { name: 'account', path: '/account', isThere: 'text=Current password' },
] as const;

test.for([
  ['light', desk],
  ['dark', phone],
] as const)('every page in %s on a %o is as wide as the window', async ([scheme, viewport]) => {
  const { page, complaints } = await openPage(browser, system.url, scheme, viewport);
  await signInAs(page, 'admin', adminPassword);
  for (const { name, path, isThere } of pages) {
    await page.goto(system.url + path);
    await page.locator(isThere).first().waitFor();
    await screenshot(page, `${name}-${scheme}-${viewport.name}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, `pixels that ${path} is too wide`).toBeLessThanOrEqual(0);
  }
  expect(complaints).toEqual([]);
  await page.context().close();
});
