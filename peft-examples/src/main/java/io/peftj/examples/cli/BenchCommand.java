package io.peftj.examples.cli;

import picocli.CommandLine.Command;

/** Groups the workloads that are measured side by side with HF PEFT. */
@Command(
        name = "bench",
        header = "Measures workloads side by side with other implementations.",
        description = {
            "Measures a workload and prints one line of JSON, with the keys that the same workload on Hugging Face's PEFT prints.",
            "Compare runs on one machine, in turn, and only their ratios."
        })
final class BenchCommand {}
