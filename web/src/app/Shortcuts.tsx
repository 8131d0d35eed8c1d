import { Group, Kbd, Modal, Stack, Switch, Table, Text } from "@mantine/core";
import { Fragment, useState } from "react";
import { useTranslation } from "react-i18next";
import { setSingleKeys, singleKeys } from "./keys";
import { useSections } from "./sections";

export default function Shortcuts({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [on, setOn] = useState(singleKeys);
  const rows: [string[], string][] = [
    [["Ctrl", "K"], t("app.search.open")],
    [["/"], t("app.shortcuts.search")],
    [["?"], t("app.shortcuts.open")],
    [["["], t("app.shortcuts.rail")],
  ];
  const sections = useSections().filter((each) => each.letter);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("app.shortcuts.title")}
      size="md"
      closeButtonProps={{ "aria-label": t("app.close") }}
    >
      <Stack>
        <Switch
          label={t("app.shortcuts.switch")}
          checked={on}
          onChange={(event) => {
            setSingleKeys(event.currentTarget.checked);
            setOn(event.currentTarget.checked);
          }}
        />
        <Table>
          <Table.Tbody>
            {rows.map(([keys, words]) => (
              <Table.Tr key={words}>
                <Table.Td>{words}</Table.Td>
                <Table.Td ta="right">
                  <Group gap={4} justify="flex-end">
                    {keys.map((each) => (
                      <Kbd key={each}>{each}</Kbd>
                    ))}
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
            {sections.map((each) => (
              <Table.Tr key={each.to}>
                <Table.Td>{t(`app.section.${each.name}`)}</Table.Td>
                <Table.Td>
                  <Group gap={4} justify="flex-end">
                    <Fragment>
                      <Kbd>g</Kbd>
                      <Text span size="xs" c="dimmed">
                        {t("app.shortcuts.then")}
                      </Text>
                      <Kbd>{each.letter}</Kbd>
                    </Fragment>
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Stack>
    </Modal>
  );
}
