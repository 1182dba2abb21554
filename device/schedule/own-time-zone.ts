/** The machine's own time zone as it is set now: Node itself asks once, and hours would be read in the former one until it starts anew. */
import { readlinkSync } from 'node:fs';
import { isTimeZone } from '#protocol/schedule.ts';

/** localtime(5): a link to the zone's file. Null where it names none: then Node's own word holds, and TZ always does. */
export function ownTimeZone(link = '/etc/localtime', environment: NodeJS.ProcessEnv = process.env): string | null {
  if (environment['TZ'] !== undefined) return null;
  const name = /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(targetOf(link))?.[1];
  return name !== undefined && isTimeZone(name) ? name : null;
}

/** Empty where there is no link: a container often has a plain file, or none, which means UTC. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
