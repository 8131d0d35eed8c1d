import { Button, Group, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { AddChannel } from "../../ui/AddChannel";

export function FirstChannel({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        {t("door.setup.channelText")}
      </Text>
      <AddChannel onAdded={onDone} />
      <Group justify="flex-end">
        <Button variant="subtle" color="gray" onClick={onDone}>
          {t("door.setup.later")}
        </Button>
      </Group>
    </Stack>
  );
}
