/** What deaths and outages cost a recording: `npm run bench:recording [deaths] [seconds of outage]`. The exit code says whether the bars were met. */
import { FigureSheet } from './figure-sheet.ts';
import { printDeaths, printOutage } from './recording-figures.ts';

const sheet = new FigureSheet((text) => process.stdout.write(text));
await printOutage(sheet, Number(process.argv[3] ?? 60) * 1000);
await printDeaths(sheet, Number(process.argv[2] ?? 100));
process.exitCode = sheet.finish();
