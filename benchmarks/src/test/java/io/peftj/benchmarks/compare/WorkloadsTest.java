package io.peftj.benchmarks.compare;

import static io.peftj.benchmarks.compare.FakeProcesses.printing;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What each workload but training runs on both sides. */
class WorkloadsTest {
    @TempDir
    Path folder;

    private Sandbox sandbox;

    @BeforeEach
    void makeSides() throws IOException {
        sandbox = new Sandbox(folder);
    }

    @Test
    void classifyComparesAccuracyOverSeedsAndTakesTheFloorFromTheSteps() {
        FakeProcesses processes = new FakeProcesses(words -> printing(
                words.contains("--profile")
                        ? "{\"examples_per_s\": 100.0, \"train_s\": 10.0, \"floor_s\": 0.2, \"steps\": 25, \"accuracy\": 0.5}"
                        : "{\"examples_per_s\": 100.0, \"accuracy\": 0.8" + words.replaceAll(".*--seed (\\d+).*", "$1")
                                + ", \"peak_rss_mib\": 700}"));

        Sandbox.Ended ended = sandbox.run(
                processes,
                "classify",
                "--data",
                folder.resolve("snips"),
                "--methods",
                "lora,prefix",
                "--dtypes",
                "float32,bfloat16",
                "--lr",
                "prefix=0.05",
                "--per-class",
                "10");

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(processes.started().get(0)).endsWith("--epochs 3 --seed 0 --lr 0.002 --per-class 10");
        assertThat(processes.started().get(1))
                .contains("quality_peft.py --method lora --threads 2 --base-dropout 0 --epochs 3 --seed 0 --lr 0.002")
                .endsWith("Tiny Model " + folder.resolve("snips"));
        assertThat(processes.started())
                .anyMatch(words -> words.contains("--method prefix") && words.contains("--lr 0.05"));
        String table = ended.out().replaceAll(" +", " ");
        assertThat(table)
                .contains(
                        "| lora | float32 | examples/s | 100.0 (100.0–100.0) | 100.0 (100.0–100.0) | 200.0 | 1.00 | 50 % |")
                .contains("| lora | float32 | accuracy on the test rows | 0.8100 (0.8000–0.8200) |")
                .contains(
                        "Hugging Face PEFT is absent from prefix, bfloat16: quality_peft.py computes in float32 only");
        assertThat(sandbox.json("classify-tiny-model-snips.json")
                        .getAsJsonObject("settings")
                        .get("lr"))
                .hasToString("{\"dora\":0.002,\"lora\":0.002,\"lora-all\":0.002,\"others\":0.01,\"prefix\":0.05}");
    }

    @Test
    void sftComparesTheLossOfAnswers() {
        FakeProcesses processes = new FakeProcesses(words ->
                printing("{\"tokens_per_s\": 200.0, \"answer_nll\": 1.45, \"bleu\": 61.25, \"peak_rss_mib\": 2000}"));

        Sandbox.Ended ended = sandbox.run(processes, "sft", "--data", folder, "--methods", "ia3", "--rounds", "1");

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(processes.started().get(0))
                .contains("score_answers.py " + folder + " ")
                .contains("bench sft --model ")
                .endsWith("--dtype float32 --threads 2 --data " + folder + " --epochs 1 --seed 0 --lr 0.01");
        assertThat(processes.started().get(1))
                .contains("sft_peft.py --method ia3 --threads 2 --dtype float32 --epochs 1 --seed 0 --lr 0.01 ");
        assertThat(ended.out().replaceAll(" +", " "))
                .contains("| ia3 | float32 | loss a token of test answers | 1.4500 | 1.4500 | 1.00 | |")
                .contains("| ia3 | float32 | BLEU of 100 greedy answers | 61.3 | 61.3 | 1.00 | |");
    }

    @Test
    void fewShotIsTheBaseWithRowsInItsPrompt() {
        FakeProcesses processes = new FakeProcesses(words -> words.contains("sft_peft.py")
                ? new Processes.Outcome(1, List.of(), List.of("KeyError: 'few-shot-3'"))
                : printing("{\"tokens_per_s\": null, \"answer_nll\": 1.9, \"bleu\": 30.5, \"peak_rss_mib\": 2000}"));

        Sandbox.Ended ended =
                sandbox.run(processes, "sft", "--data", folder, "--methods", "few-shot-3", "--rounds", "1");

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(processes.started().get(0)).contains("--method base --dtype float32 --threads 2 --shots 3 ");
        assertThat(ended.out().replaceAll(" +", " "))
                .contains("| few-shot-3 | float32 | loss a token of test answers | 1.9000 |")
                .contains("its script has no few-shot-3");
    }

    @Test
    void decodeLeavesOutWhatThePeerWouldDoWithOneAdapterForAllRows() {
        FakeProcesses processes = new FakeProcesses(words ->
                printing("{\"tokens_per_s\": 200.0, \"rss_loaded_mib\": 1, \"peak_rss_mib\": 3, \"seconds\": 1}"));

        Sandbox.Ended ended = sandbox.run(
                processes, "decode", "--methods", "base,ia3", "--dtypes", "bfloat16", "--rounds", "1", "--tenants", 32);

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(processes.started()).hasSize(3);
        assertThat(processes.started().get(0)).contains("bench decode ", "--method base ");
        assertThat(processes.started().get(1))
                .contains("--method base --threads 2 --dtype bfloat16 --tenants 32 --prompt 64 --new 64 decode ");
        assertThat(ended.out())
                .contains("Hugging Face PEFT is absent from ia3, bfloat16: PEFT takes an adapter a row for LoRA alone");
    }

    @Test
    void ourSideTakesOptionsOfItsOwn() throws IOException {
        FakeProcesses processes = new FakeProcesses(words ->
                printing("{\"tokens_per_s\": 200.0, \"rss_loaded_mib\": 1, \"peak_rss_mib\": 3, \"seconds\": 1}"));

        Sandbox.Ended ended = sandbox.run(
                processes,
                "decode",
                "--methods",
                "base",
                "--dtypes",
                "bfloat16",
                "--rounds",
                "1",
                "--packed-weights",
                "--warm-ups",
                "4",
                "--java-options=-Xmx64m,-XX:+UseSerialGC",
                "--environment=LD_PRELOAD=/usr/lib/libx.so",
                "--environment=OMP_WAIT_POLICY=passive",
                "--name",
                "packed");

        assertThat(ended.exitCode()).as(ended.err()).isZero();
        assertThat(processes.started().get(0))
                .startsWith("env LD_PRELOAD=/usr/lib/libx.so OMP_WAIT_POLICY=passive ")
                .contains(" -Xmx64m -XX:+UseSerialGC -jar ", " --packed-weights --warm-ups 4");
        assertThat(processes.started().get(1))
                .doesNotContain("-Xmx64m")
                .doesNotContain("--packed-weights")
                .doesNotContain("--warm-ups")
                .doesNotContain("LD_PRELOAD");
        assertThat(Files.readString(sandbox.out("packed.json")))
                .contains(
                        "\"java_options\": \"-Xmx64m -XX:+UseSerialGC\"", "\"packed_weights\": true", "\"warm_ups\": 4")
                .contains("\"LD_PRELOAD\": \"libx.so\"", "\"OMP_WAIT_POLICY\": \"passive\"");
    }
}
