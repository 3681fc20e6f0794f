package io.peftj.examples.cli;

import io.peftj.djl.backbone.Backbones;
import java.io.InputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The {@code peft} command: results go to standard output, all else to standard error. */
@Command(
        name = "peft",
        description = "Works with adapters of frozen transformers: what they do, what they give, how they train.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        scope = ScopeType.INHERIT,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:success",
            "1:an error that the input does not explain",
            "2:bad input: an option, a file or a configuration; one line on standard error says what is wrong%n"
        })
public final class PeftCommand {
    @Option(
            names = Errors.STACK_TRACE,
            scope = ScopeType.INHERIT,
            description = "Show where in the program an error came from.")
    private boolean stackTrace;

    private PeftCommand() {}

    /** Runs the command and ends the process with its exit code. */
    public static void main(String... arguments) {
        JitCompiler.spareTheProcessor();
        CommandLine commandLine = commandLine(Backbones::load, System.in);
        // JSON is in UTF-8 whatever the system's language is.
        commandLine.setOut(new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8)));
        int exitCode = commandLine.execute(arguments);
        commandLine.getOut().flush();
        System.exit(exitCode);
    }

    /**
     * The command with all its subcommands.
     *
     * @param opener opens models
     * @param in standard input
     */
    static CommandLine commandLine(ModelOpener opener, InputStream in) {
        PeftCommand peft = new PeftCommand();
        CommandLine commandLine = new CommandLine(peft)
                .addSubcommand(new InspectCommand(opener))
                .addSubcommand(new LogitsCommand(opener))
                .addSubcommand(new FitOracleCommand(opener))
                .addSubcommand(new TrainCommand(opener))
                .addSubcommand(new EvalCommand(opener))
                .addSubcommand(new GenerateCommand(opener, in))
                .addSubcommand(new CombineCommand(opener))
                .addSubcommand(new MergeCommand(opener))
                .addSubcommand(new ConvertCommand())
                .addSubcommand(new DiagnoseCommand(opener))
                .addSubcommand(new CommandLine(new BenchCommand())
                        .addSubcommand(new BenchTrainCommand(opener))
                        .addSubcommand(new BenchClassifyCommand(opener))
                        .addSubcommand(new BenchEmbedCommand(opener))
                        .addSubcommand(new BenchSftCommand(opener))
                        .addSubcommand(new BenchTextCommand(opener))
                        .addSubcommand(new BenchDecodeCommand(opener)))
                .addSubcommand("completion", new GenerateCompletion());
        Errors errors = new Errors(() -> peft.stackTrace);
        return commandLine
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(errors)
                .setExecutionExceptionHandler(errors);
    }
}
