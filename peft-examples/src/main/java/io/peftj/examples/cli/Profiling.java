package io.peftj.examples.cli;

import io.peftj.core.tensor.Backend;
import io.peftj.djl.engine.KernelProfile;
import io.peftj.djl.engine.TorchBackend;
import java.io.PrintWriter;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Counts on demand what each kernel takes while a workload is measured. */
final class Profiling {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--profile",
            description =
                    "Also print what each kernel takes of a step, and how long the step's frozen products take alone.")
    private boolean asked;

    /** Begins to count, if it is asked for. */
    Optional<KernelProfile> start(Backend backend) {
        if (!asked) {
            return Optional.empty();
        }
        if (backend instanceof TorchBackend engine) {
            return Optional.of(engine.profile());
        }
        throw new ParameterException(command.commandLine(), "--profile needs the PyTorch engine");
    }

    /**
     * Ends it, prints the table to the error stream and adds {@code floor_s}, the frozen products of a step alone, and
     * {@code steps}.
     *
     * @param steps how many steps were counted
     * @param stepSeconds how long one took on average
     * @param lanes how many parts of a step were computed side by side
     */
    void report(KernelProfile kernels, Backend backend, long steps, double stepSeconds, int lanes, JsonLine line) {
        kernels.close();
        ProfileReport report = new ProfileReport(backend, kernels.entries(), steps, lanes);
        PrintWriter out = command.commandLine().getErr();
        out.print(report.text(stepSeconds));
        out.flush();
        line.putRounded("floor_s", report.floorSeconds(), 4).put("steps", steps);
    }
}
