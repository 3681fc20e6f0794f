package io.peftj.benchmarks.compare;

import io.peftj.core.Library;
import io.peftj.core.PeftException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code compare} command: the table goes to standard output, progress and errors to standard error. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        versionProvider = CompareCommand.Version.class,
        scope = ScopeType.INHERIT,
        description = {
            "Runs a workload on this library and on Hugging Face's PEFT in turn, each in a process of its own, and prints"
                    + " medians, spreads and ratios.",
            "Every run is kept in a JSON file beside a picture. Given again, the same command goes on where it was"
                    + " interrupted, adds what is new of methods, formats and rounds, or just prints and draws again."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:success", "1:a side is missing or failed; one line says what is wrong", "2:bad options"})
public final class CompareCommand implements Callable<Integer> {
    @Spec
    private CommandSpec command;

    private CompareCommand() {}

    /** That of the library this was built with. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"compare " + Library.version()};
        }
    }

    /** The command, which starts processes of the operating system. */
    public static CommandLine commandLine() {
        return commandLine(Processes.ofSystem());
    }

    /** The command, which starts what it measures by the given means. */
    static CommandLine commandLine(Processes processes) {
        Comparison comparison = new Comparison(processes);
        return new CommandLine(new CompareCommand())
                .addSubcommand(new TrainWorkload(comparison))
                .addSubcommand(new ClassifyWorkload(comparison))
                .addSubcommand(new SftWorkload(comparison))
                .addSubcommand(new DecodeWorkload(comparison))
                .setParameterExceptionHandler((e, arguments) -> fail(
                        e.getCommandLine(),
                        e.getMessage() + "; see "
                                + e.getCommandLine().getCommandSpec().qualifiedName() + " --help",
                        CommandLine.ExitCode.USAGE))
                .setExecutionExceptionHandler((e, line, result) -> {
                    if (e instanceof PeftException) {
                        return fail(line, String.valueOf(e.getMessage()), CommandLine.ExitCode.SOFTWARE);
                    }
                    throw e;
                });
    }

    private static int fail(CommandLine command, String message, int exitCode) {
        PrintWriter err = command.getErr();
        err.println("compare: " + message.replaceAll("\\s*\\R\\s*", " "));
        err.flush();
        return exitCode;
    }

    @Override
    public Integer call() {
        throw new ParameterException(command.commandLine(), "expected train, classify, sft or decode");
    }
}
