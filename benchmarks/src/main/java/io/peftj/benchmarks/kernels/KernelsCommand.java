package io.peftj.benchmarks.kernels;

import io.peftj.benchmarks.report.Machine;
import io.peftj.core.Library;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Callable;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/** The {@code kernels} command: the table goes to standard output; what JMH says, before it. */
@Command(
        name = "kernels",
        mixinStandardHelpOptions = true,
        versionProvider = KernelsCommand.Version.class,
        header = "Measures microseconds a call of single kernels.",
        description = {
            "Runs JMH on the kernels where a training step spends its time, prints a table and writes a JSON file and a picture.",
            "All other words go to JMH: a pattern of the benchmarks' names, -p tokens=32 for a parameter, -i and -wi for the number of"
                    + " iterations; of what is measured, -p dtype=BF16 and -p threads=2 are most of use."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:success", "1:nothing was measured; one line says why", "2:bad options"})
public final class KernelsCommand implements Callable<Integer> {
    @Option(
            names = "--out",
            defaultValue = "docs/benchmarks",
            paramLabel = "DIR",
            description = "Where the JSON file and the picture go (default: ${DEFAULT-VALUE}).")
    private Path out;

    @Option(
            names = "--name",
            defaultValue = "kernels",
            paramLabel = "NAME",
            description = "What they are called (default: ${DEFAULT-VALUE}).")
    private String name;

    @Unmatched
    private List<String> forJmh = new ArrayList<>();

    @Spec
    private CommandSpec command;

    private KernelsCommand() {}

    /** That of the library this was built with. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"kernels " + Library.version()};
        }
    }

    /** The command. */
    public static CommandLine commandLine() {
        return new CommandLine(new KernelsCommand());
    }

    @Override
    public Integer call() {
        PrintWriter err = command.commandLine().getErr();
        Options options;
        try {
            options = new CommandLineOptions(forJmh.toArray(String[]::new));
        } catch (CommandLineOptionException e) {
            err.println("kernels: " + e.getMessage() + "; see kernels --help");
            return CommandLine.ExitCode.USAGE;
        }
        Collection<RunResult> results;
        try {
            results = new Runner(options).run();
        } catch (NoBenchmarksException e) {
            err.println("kernels: no benchmark's name matches " + options.getIncludes() + "; there is "
                    + KernelBenchmark.class.getName() + " with a method a kernel");
            return CommandLine.ExitCode.SOFTWARE;
        } catch (RunnerException e) {
            err.println("kernels: " + e.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
        }
        KernelReport report = new KernelReport(
                Machine.here(), results.stream().map(KernelScore::of).toList());
        Path json = out.resolve(name + ".json");
        Path picture = out.resolve(name + ".png");
        report.writeJson(json);
        report.draw(picture);
        command.commandLine().getOut().print(report.table());
        command.commandLine().getOut().flush();
        err.println("written: " + json + ", " + picture);
        return CommandLine.ExitCode.OK;
    }
}
