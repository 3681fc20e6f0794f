package io.peftj.examples.cli;

import io.peftj.core.PeftException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Makes one line on standard error, and an exit code, of whatever went wrong. */
final class Errors implements IParameterExceptionHandler, IExecutionExceptionHandler {
    /** The option that shows where an error came from. */
    static final String STACK_TRACE = "--stack-trace";

    private static final int OTHER = CommandLine.ExitCode.SOFTWARE;
    private static final int BAD_INPUT = CommandLine.ExitCode.USAGE;

    private final BooleanSupplier showsStackTrace;

    Errors(BooleanSupplier showsStackTrace) {
        this.showsStackTrace = showsStackTrace;
    }

    @Override
    public int handleParseException(ParameterException e, String[] arguments) {
        CommandLine command = e.getCommandLine();
        print(command, e, e.getMessage() + "; see " + command.getCommandSpec().qualifiedName() + " --help");
        return BAD_INPUT;
    }

    @Override
    public int handleExecutionException(Exception e, CommandLine command, ParseResult result) {
        String badInput = badInput(e);
        if (badInput != null) {
            print(command, e, badInput);
            return BAD_INPUT;
        }
        print(command, e, "unexpected error: " + e + "; run it with " + STACK_TRACE + " to see where it came from");
        return OTHER;
    }

    /** What is wrong with the input; null where the error is another. */
    private static @Nullable String badInput(Exception e) {
        Throwable fault = e instanceof UncheckedIOException ? e.getCause() : e;
        if (fault instanceof NoSuchFileException missing) {
            return missing.getFile() + " does not exist; check the path";
        }
        if (fault instanceof FileSystemException file) {
            return file.getFile() + " could not be used: " + file.getClass().getSimpleName()
                    + "; check its permissions";
        }
        return fault instanceof PeftException ? fault.getMessage() : null;
    }

    private void print(CommandLine command, Exception e, String message) {
        PrintWriter err = command.getErr();
        err.println("peft: " + message.replaceAll("\\s*\\R\\s*", " "));
        if (showsStackTrace.getAsBoolean()) {
            e.printStackTrace(err);
        }
        err.flush();
    }
}
