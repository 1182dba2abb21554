/** Adds or changes a channel. A secret is written here and never shown. */
import { Checkbox, Modal, NativeSelect, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { AlertChannel, type AlertChannelRequest, type AlertTarget } from '#protocol/model/alert.ts';
import { pathOf, send } from '../api/api.ts';
import { queryKeys } from '../api/query-keys.ts';
import { SaveFooter } from '../layout/save-footer.tsx';
import classes from './alerts.module.css';
import {
  type ChannelDraft,
  type ChannelField,
  checkChannel,
  draftOfChannel,
  emptyChannel,
  kindWords,
  secretWords,
} from './channel-draft.ts';

type FieldsProps = {
  readonly draft: ChannelDraft;
  readonly problems: { readonly [F in ChannelField]?: string };
  readonly onChange: (change: Partial<ChannelDraft>) => void;
};

const kinds = Object.entries(kindWords).map(([value, label]) => ({ value, label }));
const isKind = (text: string): text is AlertTarget['kind'] => Object.hasOwn(kindWords, text);

function HttpFields({ draft, problems, onChange }: FieldsProps) {
  return (
    <TextInput
      label="Address"
      description={
        draft.knownUrl !== ''
          ? 'Whoever knows it can use it, so its end is not shown. Leave it as it is to keep it, or write the whole of another.'
          : draft.kind === 'ntfy'
            ? 'The server and the topic. Whoever knows the topic of a public server can read it: choose one that nobody guesses.'
            : 'Gets a POST with JSON for each alert, and again when it is over.'
      }
      placeholder={draft.kind === 'ntfy' ? 'https://ntfy.sh/a-topic-nobody-guesses' : 'https://example.org/hook'}
      inputMode="url"
      maxLength={1024}
      value={draft.url}
      error={problems.url}
      onChange={(event) => onChange({ url: event.currentTarget.value.trim() })}
    />
  );
}

function MailFields({ draft, problems, onChange }: FieldsProps) {
  return (
    <>
      <TextInput
        label="To"
        description="One address or several, with commas between."
        inputMode="email"
        value={draft.to}
        error={problems.to}
        onChange={(event) => onChange({ to: event.currentTarget.value })}
      />
      <TextInput
        label="From"
        inputMode="email"
        maxLength={254}
        value={draft.from}
        error={problems.from}
        onChange={(event) => onChange({ from: event.currentTarget.value.trim() })}
      />
      <div className={classes['pair']}>
        <TextInput
          label="Mail server"
          placeholder="mail.example.org"
          maxLength={253}
          value={draft.host}
          error={problems.host}
          onChange={(event) => onChange({ host: event.currentTarget.value.trim() })}
        />
        <TextInput
          label="Port"
          inputMode="numeric"
          maxLength={5}
          value={draft.port}
          error={problems.port}
          onChange={(event) => onChange({ port: event.currentTarget.value.trim() })}
        />
      </div>
      <Checkbox
        label="TLS from the first byte"
        description="As on port 465. Otherwise the connection becomes secure as soon as the server offers it."
        checked={draft.secure}
        onChange={(event) => onChange({ secure: event.currentTarget.checked })}
      />
      <TextInput
        label="User (optional)"
        autoComplete="off"
        maxLength={254}
        value={draft.user}
        onChange={(event) => onChange({ user: event.currentTarget.value.trim() })}
      />
    </>
  );
}

/** `channel` null: a new one. Drawn only while it is open. */
export function ChannelForm({ channel, onClose }: { readonly channel: AlertChannel | null; readonly onClose: () => void }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<ChannelDraft>(channel === null ? emptyChannel : draftOfChannel(channel));
  const [isTried, setTried] = useState(false);
  const save = useMutation({
    mutationFn: (request: AlertChannelRequest) =>
      channel === null
        ? send('POST', '/alert-channels', request, AlertChannel)
        : send('PUT', pathOf('alert-channels', channel.id), request, AlertChannel),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: queryKeys.alertChannels });
      onClose();
    },
  });
  const checked = checkChannel(draft);
  // Nobody is told of an empty field before having had the time to fill it in.
  const problems = isTried && checked.kind === 'problems' ? checked.problems : {};
  const change = (part: Partial<ChannelDraft>): void => setDraft((before) => ({ ...before, ...part }));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setTried(true);
    if (checked.kind === 'channel') save.mutate(checked.channel);
  };
  /** What is shown of the address that is there means nothing to another kind. */
  const addressFor = (kind: AlertTarget['kind']): Partial<ChannelDraft> => {
    if (channel === null || channel.target.kind === 'email') return {};
    const url = kind === channel.target.kind ? channel.target.url : '';
    return { url, knownUrl: url };
  };
  const Fields = draft.kind === 'email' ? MailFields : HttpFields;
  const keeps = channel !== null && channel.target.kind === draft.kind;
  return (
    <Modal
      opened
      onClose={onClose}
      title={channel === null ? 'Add a channel' : `Change ${channel.name}`}
      centered
      closeOnClickOutside={false}
    >
      <form onSubmit={submit} noValidate>
        <Stack>
          <TextInput
            label="Name"
            placeholder="On call"
            autoComplete="off"
            maxLength={80}
            value={draft.name}
            error={problems.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
            data-autofocus
          />
          <NativeSelect
            label="Kind"
            data={kinds}
            value={draft.kind}
            onChange={({ currentTarget: { value } }) => isKind(value) && change({ kind: value, secret: '', ...addressFor(value) })}
          />
          <Fields draft={draft} problems={problems} onChange={change} />
          <PasswordInput
            label={`${secretWords[draft.kind]} (optional)`}
            description={
              keeps
                ? 'It is never shown. Leave it empty to keep what is there; for another server it is needed again.'
                : secretUse[draft.kind]
            }
            autoComplete="new-password"
            maxLength={1024}
            value={draft.secret}
            onChange={(event) => change({ secret: event.currentTarget.value })}
          />
          <SaveFooter save={save} onClose={onClose} />
        </Stack>
      </form>
    </Modal>
  );
}

const secretUse = {
  webhook: 'With it each message is signed (HMAC-SHA256 in X-MakeSpaceLive-Signature).',
  ntfy: 'For topics that are protected.',
  email: 'Of the user at the mail server.',
} as const satisfies Record<AlertTarget['kind'], string>;
