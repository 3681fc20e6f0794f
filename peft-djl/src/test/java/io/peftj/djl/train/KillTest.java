package io.peftj.djl.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import io.peftj.core.io.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Processes that are killed as by {@code kill -9}, again and again, and what they report and leave in the end. */
class KillTest {
    private static final List<String> REPORTED =
            List.of("loss", "learning_rate", "gradient_norm", "accuracy", "best", "reason");

    @TempDir
    private Path folder;

    @Test
    void aRunKilledThreeTimesEqualsTheOneThatWasNot() throws Exception {
        killedRunsEqualTheOneThatWasNot("reference", 3);
    }

    @Test
    @Tag("long")
    void runsOnTheEngineKilledFiftyTimesEqualTheOneThatWasNot() throws Exception {
        killedRunsEqualTheOneThatWasNot("engine", 50);
    }

    /** A run that ends before the next kill is followed by another. */
    private void killedRunsEqualTheOneThatWasNot(String backend, int kills) throws Exception {
        long seed = System.nanoTime();
        System.out.println("KillTest on the " + backend + ", seed " + seed);
        Random random = new Random(seed);
        Path whole = Files.createDirectory(folder.resolve("whole"));
        Process undisturbed = start(whole, backend);
        firstStep(undisturbed);
        long began = System.nanoTime();
        assertEndsWell(undisturbed, whole);
        long span = (System.nanoTime() - began) / 1000;
        Map<String, String> expected = reported(whole);
        assertThat(expected).hasSizeGreaterThan(20);

        int killed = 0;
        for (int run = 0; killed < kills; run++) {
            Path parts = Files.createDirectory(folder.resolve("run " + run));
            boolean ended = false;
            while (!ended) {
                Process process = start(parts, backend);
                if (killed < kills && dies(process, random.nextLong(1 + span * 2 / 3))) {
                    killed++;
                    assertNoMoreThanAnIntervalIsLost(parts);
                } else {
                    assertEndsWell(process, parts);
                    ended = true;
                }
            }
            assertThat(reported(parts)).as("seed %d, run %d", seed, run).isEqualTo(expected);
            assertThat(Files.mismatch(adapter(parts), adapter(whole)))
                    .as("seed %d, run %d", seed, run)
                    .isEqualTo(-1);
        }
    }

    private static Process start(Path folder, String backend) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledTraining.class.getName(),
                        folder.toString(),
                        backend)
                .redirectError(ProcessBuilder.Redirect.appendTo(log(folder).toFile()))
                .start();
    }

    /** Kills a process some time after its first step; false if it ended before. */
    private static boolean dies(Process process, long microseconds) throws Exception {
        if (!firstStep(process) || process.waitFor(microseconds, TimeUnit.MICROSECONDS)) {
            return false;
        }
        process.destroyForcibly().waitFor();
        return process.exitValue() != 0; // it may just have ended
    }

    private static boolean firstStep(Process process) throws IOException {
        BufferedReader lines = process.inputReader();
        return lines.readLine() != null;
    }

    private static void assertEndsWell(Process process, Path folder) throws Exception {
        assertThat(process.waitFor()).as(Files.readString(log(folder))).isZero();
    }

    private static void assertNoMoreThanAnIntervalIsLost(Path folder) throws IOException {
        long reported = 0;
        for (String line : Files.readAllLines(metrics(folder))) {
            JsonObject event = Json.parse(line, "metrics");
            reported = event.has("step") ? event.get("step").getAsLong() : reported;
        }
        Path checkpoint = folder.resolve("checkpoints").resolve(CheckpointStore.NAME);
        long kept = Files.exists(checkpoint)
                ? CheckpointFile.read(checkpoint).progress().step()
                : 0;
        assertThat(reported - kept).as("steps lost").isBetween(0L, (long) KilledTraining.INTERVAL);
    }

    /** Every step, evaluation and epoch with its numbers; what is reported again must be the same again. */
    private static Map<String, String> reported(Path folder) throws IOException {
        Map<String, String> reported = new HashMap<>();
        for (String line : Files.readAllLines(metrics(folder))) {
            JsonObject event = Json.parse(line, "metrics");
            String kind = event.get("event").getAsString();
            if (List.of("step", "evaluation", "epoch", "end").contains(kind)) {
                StringBuilder numbers = new StringBuilder();
                REPORTED.forEach(name -> numbers.append(event.get(name)).append(' '));
                String number = String.valueOf(event.get(kind.equals("evaluation") ? "epoch" : kind));
                String before = reported.put(kind + " " + number, numbers.toString());
                assertThat(before == null ? numbers.toString() : before)
                        .as("%s %s", kind, number)
                        .isEqualTo(numbers.toString());
            }
        }
        return reported;
    }

    private static Path metrics(Path folder) {
        return folder.resolve("metrics.jsonl");
    }

    private static Path adapter(Path folder) {
        return folder.resolve("adapter").resolve("adapter_model.safetensors");
    }

    private static Path log(Path folder) {
        return folder.resolve("log.txt");
    }
}
