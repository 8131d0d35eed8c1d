import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import i18next from "i18next";
import { Check, TriangleAlert } from "lucide-react";
import { troubled } from "../words/sentences";

/** Says that something was done, for ten seconds with a way back where there is one. */
export function done(text: string, undo?: () => Promise<unknown>): void {
  const id = notifications.show({
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{text}</Text>
        {undo && (
          <Button
            size="compact-sm"
            variant="light"
            onClick={() => {
              notifications.hide(id);
              undo().then(() => done(i18next.t("app.undone")), failed);
            }}
          >
            {i18next.t("app.undo")}
          </Button>
        )}
      </Group>
    ),
    icon: <Check size={16} aria-hidden />,
    color: "ouzel",
    autoClose: undo ? 10_000 : 4000,
    role: "status",
  });
}

/** Something that the user started has failed. It stays until it is closed. */
export function failed(error: unknown): void {
  const { sentence, detail } = troubled(error);
  notifications.show({
    title: sentence,
    message: detail,
    icon: <TriangleAlert size={16} aria-hidden />,
    color: "red",
    autoClose: false,
    role: "alert",
  });
}
