import { Group, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

/** Nothing is here: says why, and what to do. */
export function Empty(props: { icon: LucideIcon; title: string; text: string; small?: string; children?: ReactNode }) {
  const { icon: Icon, title, text, small, children } = props;
  return (
    <Stack align="center" justify="center" gap="md" mih="min(60vh, 30rem)" p="xl" ta="center">
      <ThemeIcon size={72} radius="xl" variant="light" color="ouzel" aria-hidden>
        <Icon size={34} strokeWidth={1.5} />
      </ThemeIcon>
      <Stack gap={6} align="center" maw={460}>
        <Title order={2} size="h3">
          {title}
        </Title>
        <Text c="dimmed">{text}</Text>
        {small && (
          <Text size="xs" c="dimmed" ff="monospace" style={{ overflowWrap: "anywhere" }}>
            {small}
          </Text>
        )}
      </Stack>
      <Group justify="center">{children}</Group>
    </Stack>
  );
}
