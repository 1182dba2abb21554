/** A secret that is shown this one time, with a button that copies it. */
import { Button, Code } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { copyText } from './copy-text.ts';
import classes from './shown-once.module.css';

type ShownOnceProps = { readonly text: string; readonly label: string; readonly testId: string };

export function ShownOnce({ text, label, testId }: ShownOnceProps) {
  const code = useRef<HTMLElement>(null);
  const [isCopied, setCopied] = useState(false);
  const copy = (): void => {
    if (code.current !== null) void copyText(code.current).then(setCopied);
  };
  return (
    <div className={classes['frame']}>
      <Code block ref={code} className={classes['text']} aria-label={label} data-testid={testId}>
        {text}
      </Code>
      <Button
        variant="default"
        onClick={copy}
        leftSection={isCopied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
      >
        {isCopied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  );
}
