package io.peftj.examples.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.PeftException;
import io.peftj.core.io.Json;
import io.peftj.core.io.NearNames;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * A command's options in a JSON object, each under its name without the dashes. The command line comes first: what it gives is not looked up in the file.
 *
 * <p>A list stands for an option that takes several values, an object for one that takes names with values, true for one that takes none.
 */
final class ConfigOption {
    private static final String CONFIG = "--config";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Called where the option is met, which is before picocli fills in what the command line leaves out. */
    @Option(
            names = CONFIG,
            paramLabel = "FILE",
            description =
                    "Take options from a JSON object such as {\"epochs\": 3, \"targets\": [\"q_proj\"]}; those given here come"
                            + " first.")
    void read(Path file) {
        Map<String, String> values = new HashMap<>();
        try {
            JsonObject json = Json.read(file);
            for (Map.Entry<String, JsonElement> entry : json.entrySet()) {
                OptionSpec option = option(file, entry.getKey());
                values.put(option.longestName(), text(file, option, entry.getKey(), entry.getValue()));
            }
        } catch (PeftException e) {
            throw new ParameterException(command.commandLine(), e.getMessage(), e);
        }
        command.defaultValueProvider(argument -> value(values, argument));
    }

    private static @Nullable String value(Map<String, String> values, ArgSpec argument) {
        // null leaves the option to its own default
        return argument instanceof OptionSpec option ? values.get(option.longestName()) : null;
    }

    private OptionSpec option(Path file, String key) {
        OptionSpec option = command.findOption("--" + key);
        if (option == null || !names().contains(key)) {
            throw new InvalidFileException(file.getFileName() + ": no option of " + command.qualifiedName()
                    + " is called \"" + NearNames.shorten(key) + "\"" + NearNames.clause(key, names())
                    + "; correct the key or remove it");
        }
        return option;
    }

    /** Options that say what the command does, without their dashes. */
    private SortedSet<String> names() {
        SortedSet<String> names = new TreeSet<>();
        for (OptionSpec option : command.options()) {
            if (!option.usageHelp()
                    && !option.versionHelp()
                    && !option.longestName().equals(CONFIG)) {
                names.add(option.longestName().substring(2));
            }
        }
        return names;
    }

    // ---- values as they would stand on the command line ----

    private static String text(Path file, OptionSpec option, String key, JsonElement value) {
        Class<?> type = option.type();
        if (Map.class.isAssignableFrom(type) && value instanceof JsonObject object) {
            List<String> parts = new ArrayList<>();
            object.entrySet()
                    .forEach(each -> parts.add(each.getKey() + "=" + single(file, option, key, each.getValue())));
            return joined(file, key, parts);
        }
        if (option.isMultiValue() && value instanceof JsonArray array) {
            List<String> parts = new ArrayList<>();
            array.forEach(each -> parts.add(single(file, option, key, each)));
            return joined(file, key, parts);
        }
        return single(file, option, key, value);
    }

    private static String single(Path file, OptionSpec option, String key, JsonElement value) {
        boolean flag = option.arity().max() == 0;
        if (!value.isJsonPrimitive() || flag != value.getAsJsonPrimitive().isBoolean()) {
            String expected = flag ? "true or false" : "a text or a number";
            throw new InvalidFileException(file.getFileName() + ": expected " + expected + " under \"" + key
                    + "\", found " + NearNames.shorten(value.toString()) + "; correct the value or remove the key");
        }
        return value.getAsString();
    }

    private static String joined(Path file, String key, List<String> parts) {
        for (String part : parts) {
            if (part.contains(",")) {
                throw new InvalidFileException(file.getFileName() + ": \"" + part + "\" under \"" + key
                        + "\" has a comma, which parts values; use a name without one");
            }
        }
        return String.join(",", parts);
    }
}
