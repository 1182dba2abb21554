/** A person at the dashboard of a running system: signs in, watches, changes a setting. Every page is kept as a picture. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../until.ts';
import { desk, openBrowser, openPage, phone, screenshot, signIn } from './dashboard.ts';
import { type RunningSystem, startSystem } from './running-system.ts';

let system: RunningSystem;
let browser: Browser;
let deviceId: string;

beforeAll(async () => {
  [system, browser] = await Promise.all([startSystem(), openBrowser()]);
  deviceId = (await system.api.devices()).devices[0]?.id ?? '';
});
afterAll(async () => {
  await browser?.close();
  await system?.stop();
  await system?.remove();
});

test('signs in, sees the device live, plays the picture, changes a setting and sees it applied', async () => {
  const { page, complaints } = await openPage(browser, system.url, 'light', desk);
  await page.goto(system.url);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  await screenshot(page, 'sign-in-light-desk');
  await signIn(page, system.url, system.adminPassword);
  await page.locator('[data-testid=stream-state][data-kind=live]').first().waitFor();
  await page.getByTestId('preview-image').first().waitFor();
  await screenshot(page, 'devices-light-desk');

  await page.getByTestId('device-card').first().click();
  const video = page.getByTestId('player-video');
  await video.waitFor();
  const timeOf = () => video.evaluate((element) => (element as HTMLVideoElement).currentTime);
  const first = await until('the picture to play', 30_000, timeOf);
  await until('the picture to go on', 15_000, async () => (await timeOf()) > first + 1);
  expect(await video.evaluate((element) => (element as HTMLVideoElement).videoWidth)).toBe(1280);
  await screenshot(page, 'device-light-desk');
  await screenshot(page, 'device-light-desk-window', 'window');

  await page.getByRole('tab', { name: 'Settings' }).click();
  const field = page.getByTestId('setting-AV_VIDEO_BITRATE').getByRole('textbox').first();
  await field.fill('1800');
  await page.getByRole('button', { name: 'Save' }).first().click();
  await page.locator('[data-testid=setting-state-AV_VIDEO_BITRATE][data-state=applied]').waitFor({ timeout: 10_000 });
  const settings = await system.api.settings(deviceId);
  expect(settings.settings.find(({ key }) => key === 'AV_VIDEO_BITRATE')).toMatchObject({ inForce: { value: 1800 }, state: 'applied' });

  // Somebody else changes the world: the page follows by itself.
  await system.api.patchSettings(deviceId, { AV_VIDEO_SOURCE: '/dev/video99' });
  await page.locator('[data-testid=setting-state-AV_VIDEO_SOURCE][data-state=refused]').waitFor({ timeout: 15_000 });
  await screenshot(page, 'device-refused-light-desk');
  await system.api.patchSettings(deviceId, { AV_VIDEO_SOURCE: null });
  await page.locator('[data-testid=setting-state-AV_VIDEO_SOURCE][data-state=applied]').waitFor({ timeout: 15_000 });
  expect(complaints).toEqual([]);
  await page.context().close();
});

test('every page, in light and in dark, on a desk and on a phone', async () => {
  const { page, complaints } = await openPage(browser, system.url, 'light', desk);
  // The page follows the window and the scheme by itself, as it does for a person who turns the phone or whose evening comes.
  const look = async (name: string) => {
    for (const scheme of ['light', 'dark'] as const) {
      for (const viewport of [desk, phone]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width: viewport.width, height: viewport.height });
        await page.locator(`html[data-mantine-color-scheme=${scheme}]`).waitFor();
        await screenshot(page, `${name}-${scheme}-${viewport.name}`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(overflow, `pixels that ${name} is too wide in ${scheme} on a ${viewport.name}`).toBeLessThanOrEqual(0);
      }
    }
  };
  await page.goto(system.url);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  await look('sign-in');
  await signIn(page, system.url, system.adminPassword);
  await page.getByTestId('preview-image').first().waitFor();
  await look('devices');
  await page.getByTestId('device-card').first().click();
  await until('the picture to play', 30_000, () =>
    page.getByTestId('player-video').evaluate((element) => (element as HTMLVideoElement).currentTime),
  );
  await look('device');
  await page.getByRole('link', { name: 'Fleet settings' }).click();
  await page.getByTestId('setting-AV_VIDEO_WIDTH').waitFor();
  await look('fleet-settings');
  expect(complaints).toEqual([]);
  await page.context().close();
});
