import { Button, Modal, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { signIn, signOut, useSession } from "../../api/session";
import { failed } from "../../ui/toast";
import { Credentials } from "./Credentials";

/** The session has ended while the page is open: signing in again happens over it, so that nothing typed is lost. */
export default function Again() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const before = useSession((session) => session.me?.user);
  const enter = async (name: string, password: string) => {
    await signIn(name, password);
    if (useSession.getState().me?.user?.id !== before?.id)
      client.clear(); // it is somebody else: nothing of the other stays
    else await client.invalidateQueries();
  };
  return (
    <Modal
      opened
      onClose={() => {}}
      withCloseButton={false}
      closeOnEscape={false}
      title={t("app.expired.title")}
      size="sm"
    >
      <Stack>
        <Text size="sm" c="dimmed">
          {t("app.expired.text")}
        </Text>
        <Credentials onSend={enter} send={t("door.signIn")} name={before?.name ?? ""} />
        <Button variant="subtle" color="gray" onClick={() => signOut().then(() => client.clear(), failed)}>
          {t("app.expired.other")}
        </Button>
      </Stack>
    </Modal>
  );
}
