package io.peftj.methods.lora;

import io.peftj.core.InvalidConfigException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Values for modules whose names end in a regular expression, the first that matches: PEFT's rank_pattern and alpha_pattern. */
final class NamePatterns<V> {
    private final String key;
    private final List<Entry<V>> given;
    private final List<Entry<V>> sorted;

    private record Entry<V>(String key, Pattern pattern, V value) {}

    NamePatterns(String key, Map<String, V> values) {
        this.key = key;
        this.given = compile(key, values);
        this.sorted = compile(key, new TreeMap<>(values));
    }

    private static <V> List<Entry<V>> compile(String key, Map<String, V> values) {
        List<Entry<V>> entries = new ArrayList<>();
        values.forEach((regex, value) -> {
            try {
                entries.add(new Entry<>(regex, Pattern.compile("(.*\\.)?(" + regex + ")$"), value));
            } catch (PatternSyntaxException e) {
                throw new InvalidConfigException(
                        key + " has the key \"" + regex + "\", which is no regular expression: " + e.getDescription()
                                + "; give the end of a module's name, such as \"q_proj\"",
                        e);
            }
        });
        return entries;
    }

    /** The keys that match none of some modules. */
    List<String> unmatched(Collection<String> modules) {
        return given.stream()
                .filter(entry -> modules.stream()
                        .noneMatch(module -> entry.pattern().matcher(module).lookingAt()))
                .map(Entry::key)
                .toList();
    }

    /**
     * The value for a module.
     *
     * @throws InvalidConfigException if it would be another once the keys are sorted, as they are in files
     */
    V valueFor(String module, V otherwise) {
        V value = first(given, module, otherwise);
        V inFile = first(sorted, module, otherwise);
        if (!value.equals(inFile)) {
            throw new InvalidConfigException(key + " gives " + module + " the value " + value
                    + ", but " + inFile + " once its keys are sorted, as they are in files, since several keys match;"
                    + " expected keys that agree in any order, found " + keys()
                    + "; make them match different modules");
        }
        return value;
    }

    private static <V> V first(List<Entry<V>> entries, String module, V otherwise) {
        return entries.stream()
                .filter(entry -> entry.pattern().matcher(module).lookingAt())
                .map(Entry::value)
                .findFirst()
                .orElse(otherwise);
    }

    private List<String> keys() {
        return given.stream().map(entry -> entry.pattern().pattern()).toList();
    }
}
