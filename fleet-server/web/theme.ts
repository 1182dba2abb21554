/** Colours, type and shape of the dashboard. */
import { createTheme, type MantineColorsTuple } from '@mantine/core';

const indigo: MantineColorsTuple = [
  '#eef1ff',
  '#dce1fb',
  '#b7bff2',
  '#8f9beb',
  '#6e7de4',
  '#596ae0',
  '#4d5fdf',
  '#3e4fc6',
  '#3546b2',
  '#283a9d',
];

/** Slate instead of neutral grey, so that pictures stand out from what surrounds them. */
const dark: MantineColorsTuple = [
  '#d3d9e3',
  '#b4bdcc',
  '#8a95a8',
  '#667186',
  '#3d4759',
  '#2c3546',
  '#212938',
  '#181f2c',
  '#111722',
  '#0b101a',
];

export const theme = createTheme({
  primaryColor: 'indigo',
  primaryShade: { light: 7, dark: 5 },
  colors: { indigo, dark },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: '650' },
  cursorType: 'pointer',
  respectReducedMotion: true,
});
