package io.peftj.benchmarks.compare;

import static io.peftj.benchmarks.compare.FakeProcesses.failing;
import static io.peftj.benchmarks.compare.FakeProcesses.printing;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompareCommandTest {
    @TempDir
    Path folder;

    private Sandbox sandbox;

    @BeforeEach
    void makeSides() throws IOException {
        sandbox = new Sandbox(folder);
    }

    /** Ours takes half a second a step, the peer one, the prototype a quarter; ours gets faster from run to run. */
    private static FakeProcesses training() {
        Queue<Integer> ours = new ArrayDeque<>(List.of(1000, 1040, 1100, 1200, 1300));
        return new FakeProcesses(words -> {
            if (words.contains("--profile")) {
                return printing("{\"tokens_per_s\": 9, \"step_s\": 9, \"floor_s\": 0.4, \"steps\": 8}");
            }
            if (words.contains("bench_peft.py")) {
                return printing(
                        "a word before",
                        "{\"tokens_per_s\": 520.0, \"step_s\": 1.0, \"rss_loaded_mib\": 100, \"peak_rss_mib\": 400}");
            }
            if (words.contains("prototype_step.py")) {
                return printing("{\"model\": \"somewhere\", \"proto_tok_s\": 2000.0, \"rss\": 300, \"loss\": 9.1}");
            }
            return printing("{\"tokens_per_s\": " + ours.remove()
                    + ", \"step_s\": 0.5, \"rss_loaded_mib\": 100, \"peak_rss_mib\": 250}");
        });
    }

    @Test
    void sidesTakeTurnsAndWhoBeganARoundEndsTheNext() {
        FakeProcesses processes = training();

        Sandbox.Ended ended =
                sandbox.run(processes, "train", "--methods", "lora", "--dtypes", "float32", "--rounds", "2");

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(processes.started().stream().map(CompareCommandTest::kind))
                .containsExactly("ours", "peer", "prototype", "floor", "prototype", "peer", "ours");
        assertThat(processes.started().get(0))
                .contains("-jar " + sandbox.jar() + " bench train --model ")
                .endsWith("--method lora --dtype float32 --threads 2 --batch 4 --length 128 --steps 8");
        assertThat(processes.started().get(1))
                .startsWith("python3 ")
                .contains("--method lora --threads 2 --dtype float32 --batch 4 --length 128 --steps 8 train ");
        assertThat(ended.err())
                .contains(
                        "[1 of 7] PEFT for the JVM: lora, float32, round 1; the first of them tells how long they take")
                .contains("1000.0 tokens/s in 0 s")
                .contains("[7 of 7] PEFT for the JVM: lora, float32, round 2; about 0 s to go")
                .contains("written: " + sandbox.out("train-tiny-model.json"));
    }

    private static String kind(String words) {
        return words.contains("--profile")
                ? "floor"
                : words.contains("bench_peft.py") ? "peer" : words.contains("prototype") ? "prototype" : "ours";
    }

    @Test
    void theTableTellsMediansSpreadsRatiosAndTheFloor() {
        Sandbox.Ended ended = sandbox.run(training(), "train", "--methods", "lora", "--dtypes", "float32");

        // 512 tokens in 0.4 s are 1280 a second.
        assertThat(ended.out().lines().map(line -> line.replaceAll(" +", " ")))
                .containsExactly(
                        "| method | dtype | metric | PEFT for the JVM | Hugging Face PEFT | hand-written step | frozen"
                                + " products alone | ours / PEFT | floor / ours |",
                        ended.out().lines().toList().get(1),
                        "| lora | float32 | tokens/s | 1040.0 (1000.0–1100.0) | 520.0 (520.0–520.0) | 2000.0"
                                + " (2000.0–2000.0) | 1280.0 | 2.00 | 81 % |",
                        "| lora | float32 | seconds a step | 0.5000 (0.5000–0.5000) | 1.0000 (1.0000–1.0000) | | 0.4000"
                                + " | 0.50 | 80 % |",
                        "| lora | float32 | memory over loaded weights, MiB | 150 (150–150) | 300 (300–300) | | | 0.50 | |",
                        "| lora | float32 | peak memory of the process, MiB | 250 (250–250) | 400 (400–400) | 300 (300–300)"
                                + " | | 0.63 | |");
        assertThat(ended.out().lines().map(String::length).distinct()).hasSize(1);
    }

    @Test
    void theFileHoldsConditionsRunsAndResultsAndNoPath() throws IOException {
        sandbox.run(training(), "train", "--methods", "lora", "--dtypes", "float32");

        JsonObject json = sandbox.json("train-tiny-model.json");
        assertThat(json.getAsJsonObject("machine").keySet())
                .containsExactly("cores", "jdk", "memory_gib", "processor", "system");
        assertThat(json.getAsJsonObject("versions"))
                .hasToString("{\"peft\":\"0.21.0\",\"peftj\":\"1.2.3\",\"torch\":\"2.13.0\"}");
        assertThat(json.getAsJsonObject("settings"))
                .hasToString("{\"batch\":4,\"checkpointing\":false,\"length\":128,\"model\":\"Tiny Model\",\"steps\":8,"
                        + "\"threads\":2,\"workload\":\"train\"}");
        assertThat(json.getAsJsonArray("runs")).hasSize(10);
        JsonObject speed = json.getAsJsonArray("results").get(0).getAsJsonObject();
        assertThat(speed.getAsJsonObject("ours"))
                .hasToString("{\"max\":1100.0,\"median\":1040.0,\"min\":1000.0,\"runs\":3}");
        assertThat(speed.get("ratio").getAsDouble()).isEqualTo(2);
        assertThat(speed.get("floor_share").getAsDouble()).isEqualTo(0.813);
        assertThat(Files.readString(sandbox.out("train-tiny-model.json")))
                .doesNotContain(folder.toString(), "somewhere");
        assertThat(sandbox.out("train-tiny-model.png")).isNotEmptyFile();
    }

    @Test
    void theSameCommandGoesOnWhereASideFailed() {
        FakeProcesses steady = training();
        FakeProcesses failing = new FakeProcesses(words -> words.contains("prototype")
                ? failing(137, "Loading", "  torch: out of memory  ", "")
                : steady.run(List.of(words)));

        Sandbox.Ended first = sandbox.run(failing, "train", "--methods", "lora", "--dtypes", "float32");
        assertThat(first.exitCode()).isEqualTo(1);
        assertThat(first.out()).isEmpty();
        assertThat(first.err().lines().reduce((before, line) -> line).orElseThrow())
                .isEqualTo("compare: hand-written step: lora, float32, round 1: ended with exit code 137: torch: out of"
                        + " memory; the runs before it are kept in " + sandbox.out("train-tiny-model.json")
                        + ", and the same command goes on from there");

        FakeProcesses processes = training();
        Sandbox.Ended second = sandbox.run(processes, "train", "--methods", "lora", "--dtypes", "float32");
        assertThat(second.exitCode()).as(second.err()).isZero();
        assertThat(processes.started().stream().map(CompareCommandTest::kind))
                .containsExactly("prototype", "floor", "prototype", "peer", "ours", "ours", "peer", "prototype");

        FakeProcesses idle = training();
        Sandbox.Ended third = sandbox.run(idle, "train", "--methods", "lora", "--dtypes", "float32");
        assertThat(idle.started()).isEmpty();
        assertThat(third.out()).isEqualTo(second.out());
    }

    @Test
    void newMethodsAndRoundsAreAdded() {
        sandbox.run(training(), "train", "--methods", "ia3", "--dtypes", "float32", "--rounds", "1");
        FakeProcesses processes = training();

        sandbox.run(processes, "train", "--methods", "ia3,prefix", "--dtypes", "float32", "--rounds", "2");

        assertThat(processes.started()).hasSize(3 + 2 + 2);
        assertThat(processes.started().get(0)).contains("--method prefix");
    }

    @Test
    void runsUnderOtherConditionsAreNotMixed() {
        sandbox.run(training(), "train", "--methods", "ia3", "--dtypes", "float32", "--rounds", "1");
        FakeProcesses processes = training();

        Sandbox.Ended ended = sandbox.run(
                processes, "train", "--methods", "ia3", "--dtypes", "float32", "--rounds", "1", "--threads", "4");

        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err())
                .isEqualTo("compare: " + sandbox.out("train-tiny-model.json")
                        + " holds runs under other conditions: settings.threads was 2 and is 4; give another --name, or"
                        + " move the file away" + System.lineSeparator());
        assertThat(processes.started()).isEmpty();
        assertThat(sandbox.run(
                                processes,
                                "train",
                                "--methods",
                                "ia3",
                                "--rounds",
                                "1",
                                "--threads",
                                "4",
                                "--name",
                                "four")
                        .exitCode())
                .isZero();
        assertThat(sandbox.out("four.png")).isNotEmptyFile();
    }

    @Test
    void aFileOfSomethingElseIsRefused() throws IOException {
        sandbox.run(training(), "train", "--methods", "ia3", "--dtypes", "float32", "--rounds", "1");
        Path file = sandbox.out("train-tiny-model.json");
        Files.writeString(file, Files.readString(file).replace("\"side\": \"ours\"", "\"side\": \"theirs\""));

        Sandbox.Ended ended = sandbox.run(training(), "train", "--methods", "ia3");

        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err())
                .contains(file + ": expected runs as this command writes them, found {")
                .hasLineCount(1);
    }

    @Test
    void aMethodThatThePeerLacksIsAbsentThereAndMeasuredHere() {
        FakeProcesses steady = training();
        FakeProcesses processes = new FakeProcesses(words -> words.contains("bench_peft.py")
                ? failing(1, "Traceback (most recent call last):", "KeyError: 'bottleneck'")
                : steady.run(List.of(words)));

        Sandbox.Ended ended =
                sandbox.run(processes, "train", "--methods", "bottleneck", "--dtypes", "float32", "--rounds", "2");

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(processes.started().stream().map(CompareCommandTest::kind))
                .containsExactly("ours", "peer", "floor", "ours");
        assertThat(ended.out())
                .contains("1020.0 (1000.0–1040.0)")
                .endsWith("Hugging Face PEFT is absent from bottleneck, float32: its script has no bottleneck"
                        + System.lineSeparator());
        JsonArray runs = sandbox.json("train-tiny-model.json").getAsJsonArray("runs");
        assertThat(StreamSupport.stream(runs.spliterator(), false)
                        .map(run -> run.getAsJsonObject().has("absent")))
                .containsExactly(false, true, false, false);
    }

    @Test
    void thePrototypeIsAbsentWhereItWouldDoOtherWork() {
        FakeProcesses processes = training();

        Sandbox.Ended ended = sandbox.run(
                processes, "train", "--methods", "lora", "--dtypes", "float32", "--batch", "2", "--checkpointing");

        assertThat(processes.started().stream().map(CompareCommandTest::kind)).doesNotContain("prototype");
        assertThat(processes.started().get(0)).endsWith(" --checkpointing");
        assertThat(ended.out())
                .contains("hand-written step is absent from lora, float32: it knows steps of 4 rows of 128 tokens on 2"
                        + " threads only");
    }

    @Test
    void theFloorCanBeLeftOut() {
        FakeProcesses processes = training();

        Sandbox.Ended ended = sandbox.run(
                processes, "train", "--methods", "ia3", "--dtypes", "float32", "--rounds", "1", "--no-floor");

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(processes.started())
                .hasSize(2)
                .noneMatch(words -> words.contains("--profile"))
                .noneMatch(words -> words.contains("--no-floor"));
    }

    @Test
    void aMissingJarSaysWhatMakesIt() throws IOException {
        Files.delete(sandbox.jar());

        Sandbox.Ended ended = sandbox.run(training(), "train");

        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err())
                .isEqualTo(
                        "compare: " + sandbox.jar() + " does not exist; make it by mvn -q package -pl peft-examples -am"
                                + " -DskipTests in the checkout, or name it by --jar" + System.lineSeparator());
    }

    @Test
    void aFolderWithoutThePeersScriptsIsNamed() throws IOException {
        Files.delete(folder.resolve("peer").resolve("prototype_step.py"));

        Sandbox.Ended ended = sandbox.run(training(), "train");

        assertThat(ended.err())
                .isEqualTo(
                        "compare: " + folder.resolve("peer") + " has no prototype_step.py; --peer names the folder with"
                                + " the peer's scripts" + System.lineSeparator());
    }

    @Test
    void aPythonWithoutTorchIsFoundBeforeAnythingIsMeasured() {
        Processes processes = command -> {
            assertThat(command).startsWith("elsewhere", "-c");
            return failing(
                    1,
                    "Traceback (most recent call last):",
                    "importlib.metadata.PackageNotFoundError: No package metadata was found for torch");
        };

        Sandbox.Ended ended = sandbox.run(processes, "train", "--python", "elsewhere");

        assertThat(ended.exitCode()).isEqualTo(1);
        assertThat(ended.err())
                .isEqualTo("compare: elsewhere lacks what the peer needs: importlib.metadata.PackageNotFoundError: No"
                        + " package metadata was found for torch; --python names one that has torch, transformers and"
                        + " peft" + System.lineSeparator());
        assertThat(sandbox.out("train-tiny-model.json")).doesNotExist();
    }

    @Test
    void aSideThatPrintsNothingToReadIsAnError() {
        Sandbox.Ended silent = sandbox.run(new FakeProcesses(words -> printing("done")), "train");
        assertThat(silent.exitCode()).isEqualTo(1);
        assertThat(silent.err())
                .endsWith(
                        "compare: PEFT for the JVM: lora, float32, round 1: expected a line of JSON on standard output,"
                                + " found none" + System.lineSeparator());

        Sandbox.Ended strange = sandbox.run(new FakeProcesses(words -> printing("{\"speed\": 3}")), "train");
        assertThat(strange.err())
                .endsWith(
                        "compare: PEFT for the JVM: lora, float32, round 1: expected a number under tokens_per_s, found"
                                + " {\"speed\":3}" + System.lineSeparator());

        Sandbox.Ended broken = sandbox.run(new FakeProcesses(words -> printing("{\"speed\": NaN}")), "train");
        assertThat(broken.exitCode()).isEqualTo(1);
        assertThat(broken.err()).contains("compare: PEFT for the JVM: lora, float32, round 1: standard output");
    }

    @Test
    void badOptionsAreTold() {
        Sandbox.Ended ended = sandbox.run(training(), "train", "--rounds", "0");
        assertThat(ended.exitCode()).isEqualTo(2);
        assertThat(ended.err())
                .isEqualTo(
                        "compare: Invalid value for option '--rounds': expected a whole number of at least 1, found 0;"
                                + " see compare train --help" + System.lineSeparator());

        Sandbox.Ended format = sandbox.run(training(), "train", "--dtypes", "float32,int8");
        assertThat(format.exitCode()).isEqualTo(2);
        assertThat(format.err()).contains("expected float32 or bfloat16, found int8");
    }
}
