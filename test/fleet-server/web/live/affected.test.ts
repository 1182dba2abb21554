import { expect, test } from 'vitest';
import { affectedQueries } from '#fleet-server/web/live/affected.ts';

test.for([
  [{ subject: 'device', deviceId: 'd-one' }, [['devices'], ['device', 'd-one']]],
  [{ subject: 'device' }, [['devices'], ['device']]],
  [{ subject: 'device-settings', deviceId: 'd-one' }, [['device-settings', 'd-one'], ['devices'], ['device', 'd-one']]],
  [{ subject: 'device-history', deviceId: 'd-one' }, [['device-history', 'd-one']]],
  [{ subject: 'device-preview', deviceId: 'd-one' }, []],
  [{ subject: 'device-preview' }, [['devices'], ['device']]],
  [{ subject: 'groups' }, [['device-groups']]],
  [{ subject: 'commands', deviceId: 'd-one' }, [['commands', 'd-one']]],
  [{ subject: 'fleet-settings' }, [['level-settings'], ['device-settings'], ['devices'], ['device']]],
  [{ subject: 'join-tokens' }, [['join-tokens']]],
  [{ subject: 'alerts' }, [['alerts'], ['alert-rules'], ['alert-channels']]],
  [{ subject: 'people' }, [['people'], ['access-tokens'], ['session']]],
  [{ subject: 'relay', deviceId: 'd-one' }, [['devices'], ['device', 'd-one']]],
] as const)('%o', ([change, expected]) => {
  expect(affectedQueries(change)).toEqual(expected);
});
