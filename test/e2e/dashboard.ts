/** A person at the dashboard: Debian's Chromium, as it is. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Screenshots of every page are kept here; README shows one. */
export const screenshotFolder = join(import.meta.dirname, '..', 'output');

export type Viewport = { readonly name: string; readonly width: number; readonly height: number };
export const desk: Viewport = { name: 'desk', width: 1280, height: 900 };
export const phone: Viewport = { name: 'phone', width: 390, height: 844 };

export async function openBrowser(): Promise<Browser> {
  mkdirSync(screenshotFolder, { recursive: true });
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    // Chromium's own sandbox cannot be had as root; the rest keeps it from calling home.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}

export type VisitedPage = {
  readonly page: Page;
  /** Errors in the console, failed requests and requests to anywhere but the server: there must be none. */
  readonly complaints: string[];
};

export async function openPage(browser: Browser, url: string, scheme: 'light' | 'dark', viewport: Viewport): Promise<VisitedPage> {
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width: viewport.width, height: viewport.height } });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error on the page: ${error.message}`));
  page.on('console', (message) => {
    // The browser itself logs every answer that is not a success: the first look at the session is one by design.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(url) && !/^(data|blob):/.test(address)) complaints.push(`request to ${address}`);
  });
  return { page, complaints };
}

export async function signIn(page: Page, url: string, password: string): Promise<void> {
  await page.goto(url);
  await page.getByLabel('Name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByTestId('device-card').first().waitFor();
}

export async function screenshot(page: Page, name: string, extent: 'page' | 'window' = 'page'): Promise<void> {
  // The header sticks to the window: from anywhere else but the top it would stand in the middle of a whole page.
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: join(screenshotFolder, `${name}.png`), fullPage: extent === 'page', animations: 'disabled' });
}
