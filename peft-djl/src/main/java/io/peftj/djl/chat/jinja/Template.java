package io.peftj.djl.chat.jinja;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.PeftException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A template, read once and filled in any number of times. Immutable and thread-safe. */
public final class Template {
    private final String name;
    private final List<Statement> statements;

    private Template(String name, List<Statement> statements) {
        this.name = name;
        this.statements = statements;
    }

    /**
     * Reads a template.
     *
     * @param name where it comes from, for messages
     * @throws InvalidConfigException if it is not well formed or has tags that are not known, with the line
     */
    public static Template parse(String name, String source) {
        try {
            return new Template(name, Parser.parse(source));
        } catch (TemplateFault e) {
            throw new InvalidConfigException(name + ", " + e.getMessage(), e);
        }
    }

    /**
     * Fills the template in.
     *
     * @param variables by name: strings, numbers, booleans, lists and maps of them by strings, and null for None
     * @throws InvalidConfigException if it asks for something that is not known, with the line
     * @throws PeftException if the template itself refuses the variables, with its own words
     */
    public String render(Map<String, ?> variables) {
        Scope scope = new Scope(null);
        Functions.addTo(scope);
        variables.forEach((key, value) -> scope.set(key, value(value)));
        StringBuilder out = new StringBuilder();
        try {
            Statement.runAll(statements, scope, out);
        } catch (TemplateFault e) {
            throw new InvalidConfigException(name + ", " + e.getMessage(), e);
        } catch (Functions.Refusal e) {
            throw new PeftException(name + " refuses what it is given: " + e.getMessage(), e);
        }
        return out.toString();
    }

    private static Object value(@Nullable Object given) {
        if (given == null) {
            return Values.NONE;
        }
        if (given instanceof List<?> list) {
            return list.stream().map(Template::value).toList();
        }
        if (given instanceof Map<?, ?> map) {
            Map<String, Object> values = new LinkedHashMap<>();
            map.forEach((key, value) -> values.put((String) key, value(value)));
            return values;
        }
        if (given instanceof String || given instanceof Boolean || given instanceof Long || given instanceof Double) {
            return given;
        }
        if (given instanceof Integer number) {
            return number.longValue();
        }
        throw new IllegalArgumentException("a template's variables are strings, numbers, booleans, lists and maps;"
                + " found " + given.getClass().getName());
    }
}
