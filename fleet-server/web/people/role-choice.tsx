/** Chooses a role, with what it may do beside each. */
import { Radio, Stack } from '@mantine/core';
import { type Role, roles } from '#protocol/model/person.ts';
import { roleChoices } from './role-words.ts';

type RoleChoiceProps = { readonly value: Role; readonly onChange: (role: Role) => void };

export function RoleChoice({ value, onChange }: RoleChoiceProps) {
  const choose = (text: string): void => {
    const role = roles.find((known) => known === text);
    if (role !== undefined) onChange(role);
  };
  return (
    <Radio.Group label="Role" value={value} onChange={choose}>
      <Stack gap={10} mt={6}>
        {roleChoices.map(({ role, title, may }) => (
          <Radio key={role} value={role} label={title} description={may} />
        ))}
      </Stack>
    </Radio.Group>
  );
}
