/** Makes a join token and shows, this once, the command that uses it. */
import { Alert, Button, Checkbox, Group, NativeSelect, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { JoinToken, type JoinTokenRequest } from '#protocol/model/enrolment.ts';
import { send } from '../api/api.ts';
import { ShownOnce } from '../clipboard/shown-once.tsx';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { exactWords } from '../time/words.ts';
import { asWord, asWords, maxTags, maxWordLength } from './group-words.ts';
import classes from './join.module.css';
import { isOwnMachine, joinCommand } from './join-command.ts';

const validities = [
  { value: '3600', label: '1 hour' },
  { value: '86400', label: '1 day' },
  { value: '604800', label: '1 week' },
] as const;

const uses = [
  { value: '1', label: '1 device' },
  { value: '10', label: '10 devices' },
  { value: '50', label: '50 devices' },
] as const;

function MadeToken({ token, made }: { readonly token: string; readonly made: JoinToken }) {
  const { origin, hostname } = window.location;
  return (
    <Stack gap="sm">
      <Text size="sm">
        On the device, in its copy of this project, run this. <strong>The token is shown only now.</strong>
      </Text>
      <ShownOnce text={joinCommand(origin, token)} label="Command for the device" testId="join-command" />
      {isOwnMachine(hostname) && (
        <Alert color="yellow" variant="light" p="xs" icon={<IconInfoCircle size={18} aria-hidden />}>
          {`“${hostname}” means this machine only. For another one, put the address in its place under which it reaches this server.`}
        </Alert>
      )}
      <Text size="sm" className="dim" role="status">
        {`It works for ${made.usesLeft} ${made.usesLeft === 1 ? 'device' : 'devices'} until ${exactWords(made.expiresAt)}. The device shows up here by itself${made.approval ? ', and waits to be let in' : ''}.`}
      </Text>
    </Stack>
  );
}

export function JoinForm() {
  const [expiresInS, setExpiresInS] = useState('86400');
  const [count, setCount] = useState('1');
  const [group, setGroup] = useState('');
  const [tags, setTags] = useState<readonly string[]>([]);
  const [approval, setApproval] = useState(false);
  const make = useMutation({
    mutationFn: (request: JoinTokenRequest) => send('POST', '/join-tokens', request, JoinToken),
  });
  const token = make.data?.token;
  return (
    <Stack gap="md">
      <div className={classes['fields']}>
        <NativeSelect label="For" data={uses} value={count} onChange={(event) => setCount(event.currentTarget.value)} />
        <NativeSelect
          label="Valid for"
          data={validities}
          value={expiresInS}
          onChange={(event) => setExpiresInS(event.currentTarget.value)}
        />
        <TextInput
          label="Group (optional)"
          placeholder="lecture-halls"
          value={group}
          onChange={(event) => setGroup(asWord(event.currentTarget.value))}
          maxLength={maxWordLength}
        />
        <TagsInput
          label="Tags (optional)"
          placeholder={tags.length === 0 ? 'upstairs' : ''}
          value={[...tags]}
          maxTags={maxTags}
          maxLength={maxWordLength}
          acceptValueOnBlur
          onChange={(words) => setTags(asWords(words))}
        />
      </div>
      <Checkbox
        label="Each device waits until somebody lets it in"
        checked={approval}
        onChange={(event) => setApproval(event.currentTarget.checked)}
      />
      <Group>
        <Button
          variant={token === undefined ? 'filled' : 'default'}
          loading={make.isPending}
          onClick={() =>
            make.mutate({
              uses: Number(count),
              expiresInS: Number(expiresInS),
              approval,
              tags: [...tags],
              ...(group === '' ? {} : { group }),
            })
          }
        >
          {token === undefined ? 'Make a join token' : 'Make another one'}
        </Button>
      </Group>
      {make.isError && <ProblemAlert title="No token was made" error={make.error} />}
      {make.data !== undefined && token !== undefined && <MadeToken token={token} made={make.data} />}
    </Stack>
  );
}
