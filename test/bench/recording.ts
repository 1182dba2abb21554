/** What deaths and outages cost a recording: `npm run bench:recording [deaths] [seconds of outage]`. */
import { printDeaths, printOutage } from './recording-figures.ts';

await printOutage(Number(process.argv[3] ?? 60) * 1000);
await printDeaths(Number(process.argv[2] ?? 100));
