import { Button, Group, Stepper } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { Link2Off } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { setUp, useSession } from "../../api/session";
import { Empty } from "../../ui/Empty";
import { Credentials } from "./Credentials";
import { Door } from "./Door";
import { FirstChannel } from "./FirstChannel";
import { LanguageStep } from "./LanguageStep";
import { StorageStep } from "./StorageStep";
import { ToolsStep } from "./ToolsStep";

const ACCOUNT = 1;
const STORAGE = 2;
const LAST = 4;

/** The first run, by the link that the daemon prints: language, account, storage, tools, first channel. */
export function Setup() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const signedIn = useSession((session) => session.state === "in");
  const [token] = useState(() => location.hash.slice(1));
  const [at, setAt] = useState(signedIn ? STORAGE : 0);
  useEffect(() => {
    // who looks over a shoulder, or at the history, finds no token
    if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  }, []);
  const next = () => (at < LAST ? setAt(at + 1) : void navigate({ to: "/" }));
  if (!token && !signedIn)
    return (
      <Door title={t("door.setup.title")}>
        <Empty icon={Link2Off} title={t("door.setup.noToken")} text={t("door.setup.noTokenText")}>
          <Button onClick={() => void navigate({ to: "/sign-in" })}>{t("door.signIn")}</Button>
        </Empty>
      </Door>
    );
  const go = (
    <Group justify="flex-end" mt="lg">
      <Button onClick={next}>{t("door.setup.next")}</Button>
    </Group>
  );
  return (
    <Door title={t("door.setup.title")} text={t("door.setup.text")} wide>
      <Stepper
        active={at}
        size="xs"
        iconSize={28}
        allowNextStepsSelect={false}
        styles={{ stepLabel: { fontSize: 12 } }}
      >
        <Stepper.Step label={t("app.language.title")}>
          <LanguageStep />
          {go}
        </Stepper.Step>
        <Stepper.Step label={t("door.setup.account")}>
          <Credentials
            fresh
            send={t("door.setup.make")}
            onSend={async (name, password) => {
              await setUp(token, name, password);
              setAt(ACCOUNT + 1);
            }}
          />
        </Stepper.Step>
        <Stepper.Step label={t("door.setup.storage")}>
          <StorageStep />
          {go}
        </Stepper.Step>
        <Stepper.Step label={t("door.setup.tools")}>
          <ToolsStep />
          {go}
        </Stepper.Step>
        <Stepper.Step label={t("door.setup.channel")}>
          <FirstChannel onDone={() => void navigate({ to: "/" })} />
        </Stepper.Step>
      </Stepper>
    </Door>
  );
}
