/** A process that puts a plan on air and stays: `node lone-agent.ts <state directory> <target>`. Tests kill it. */
import { systemClock } from '#device/media/clock.ts';
import { MediaHostSupervisor } from '#device/media/media-host-supervisor.ts';
import { testPlan } from './test-plan.ts';

const [stateDirectory = '', target = ''] = process.argv.slice(2);
const ignore = (): void => undefined;
const supervisor = new MediaHostSupervisor({ stateDirectory, clock: systemClock, log: { info: ignore, warn: ignore } });
await supervisor.start();
await supervisor.apply(testPlan({ target }));
