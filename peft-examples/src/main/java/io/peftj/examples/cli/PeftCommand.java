package io.peftj.examples.cli;

import io.peftj.djl.backbone.Backbones;
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
        System.exit(commandLine(Backbones::load).execute(arguments));
    }

    /** The command with all its subcommands, on models that come from the opener. */
    static CommandLine commandLine(ModelOpener opener) {
        PeftCommand peft = new PeftCommand();
        CommandLine commandLine = new CommandLine(peft)
                .addSubcommand(new InspectCommand(opener))
                .addSubcommand(new LogitsCommand(opener))
                .addSubcommand(new FitOracleCommand(opener))
                .addSubcommand(new TrainCommand(opener))
                .addSubcommand(new EvalCommand(opener))
                .addSubcommand(new MergeCommand(opener))
                .addSubcommand(new ConvertCommand())
                .addSubcommand(new DiagnoseCommand(opener))
                .addSubcommand(new CommandLine(new BenchCommand())
                        .addSubcommand(new BenchTrainCommand(opener))
                        .addSubcommand(new BenchClassifyCommand(opener))
                        .addSubcommand(new BenchEmbedCommand(opener))
                        .addSubcommand(new BenchSftCommand(opener))
                        .addSubcommand(new BenchDecodeCommand(opener)))
                .addSubcommand("completion", new GenerateCompletion());
        Errors errors = new Errors(() -> peft.stackTrace);
        return commandLine
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(errors)
                .setExecutionExceptionHandler(errors);
    }
}
