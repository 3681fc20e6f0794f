package io.peftj.examples.cli;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;
import io.peftj.core.io.NearNames;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.djl.chat.ChatTemplate;
import io.peftj.djl.data.Datasets;
import io.peftj.djl.generate.Sampling;
import io.peftj.djl.serve.GenerationSettings;
import io.peftj.djl.serve.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Prompts as JSON objects, one a line: a prompt or messages, and what else is the line's own.
 *
 * @param ids each line's "id", to be given back with the answer
 * @param requests one a line
 */
record PromptLines(List<JsonElement> ids, List<Request> requests) {
    private static final String PROMPT = "prompt";
    private static final String MESSAGES = "messages";
    private static final String ADAPTER = "adapter";
    private static final String STOP = "stop";
    private static final Set<String> KEYS = Set.of(
            "id",
            PROMPT,
            MESSAGES,
            ADAPTER,
            STOP,
            "max_tokens",
            "temperature",
            "top_k",
            "top_p",
            "repetition_penalty",
            "seed");

    /**
     * What lines without a key of their own go by.
     *
     * @param settings how texts are continued; a line's draws depend on its number too
     * @param adapter the adapter; null for none
     * @param everyLineNamesOne whether several adapters are there and none is meant by itself
     * @param adapters the names there are
     */
    record Defaults(
            GenerationSettings settings, @Nullable String adapter, boolean everyLineNamesOne, Set<String> adapters) {}

    /**
     * Reads lines; empty ones are left out.
     *
     * @param name what messages call the file
     * @param template of conversations, asked for where there is one
     * @throws InvalidFileException if a line is no such object, or there is none
     */
    static PromptLines read(String name, List<String> lines, Defaults defaults, Supplier<ChatTemplate> template) {
        PromptLines read = new PromptLines(new ArrayList<>(), new ArrayList<>());
        for (int i = 0; i < lines.size(); i++) {
            if (!lines.get(i).isBlank()) {
                String place = name + ", line " + (i + 1);
                JsonObject json = Json.parse(lines.get(i), place);
                read.ids.add(json.has("id") ? json.get("id") : JsonNull.INSTANCE);
                read.requests.add(request(ConfigReader.of(json, place), place, i, defaults, template));
            }
        }
        if (read.requests.isEmpty()) {
            throw new InvalidFileException(name + ": expected at least one line with a prompt, found none; add lines");
        }
        return read;
    }

    private static Request request(
            ConfigReader line, String place, int number, Defaults defaults, Supplier<ChatTemplate> template) {
        for (String key : line.keys()) {
            if (!KEYS.contains(key)) {
                throw line.error(key, "no such key", "leave it out or correct it" + NearNames.clause(key, KEYS));
            }
        }
        if (line.has(PROMPT) == line.has(MESSAGES)) {
            throw new InvalidFileException(place + ": expected either \"prompt\" or \"messages\", found "
                    + (line.has(PROMPT) ? "both" : "neither") + "; give one of the two");
        }
        Request request = line.has(PROMPT)
                ? Request.of(line.requiredString(PROMPT))
                : Request.whole(template.get()
                        .prompt(Datasets.conversation(line.json(), place).messages()));
        return request.with(adapter(line, place, defaults))
                .withSettings(settings(line, place, number, defaults.settings()));
    }

    private static @Nullable String adapter(ConfigReader line, String place, Defaults defaults) {
        if (!line.keys().contains(ADAPTER)) {
            if (defaults.everyLineNamesOne()) {
                throw new InvalidFileException(place + ": expected one of the adapters " + defaults.adapters()
                        + " under \"adapter\", found no such key; name one, or null for the base model alone");
            }
            return defaults.adapter();
        }
        if (!line.has(ADAPTER)) {
            return null;
        }
        String name = line.requiredString(ADAPTER);
        if (!defaults.adapters().contains(name)) {
            throw line.error(
                    ADAPTER,
                    defaults.adapters().isEmpty()
                            ? "null, since no adapter was given"
                            : "one of " + defaults.adapters() + ", or null",
                    "give the adapter by --adapter " + name + "=DIR, or correct the name");
        }
        return name;
    }

    private static GenerationSettings settings(ConfigReader line, String place, int number, GenerationSettings usual) {
        Sampling sampling = usual.sampling();
        long seed = line.has("seed")
                ? line.requiredInt("seed")
                : CounterRandom.key(sampling.seed(), number); // or lines alike would be continued alike
        try {
            GenerationSettings own = usual.withSampling(new Sampling(
                            line.optionalDouble("temperature", sampling.temperature()),
                            line.optionalInt("top_k", sampling.topK()),
                            line.optionalDouble("top_p", sampling.topP()),
                            line.optionalDouble("repetition_penalty", sampling.repetitionPenalty()),
                            seed))
                    .withStopTexts(line.has(STOP) ? stop(line) : usual.stopTexts());
            return line.has("max_tokens") ? own.withMaxTokens(count(line)) : own;
        } catch (InvalidConfigException e) {
            throw new InvalidFileException(place + ": " + e.getMessage(), e);
        }
    }

    private static int count(ConfigReader line) {
        int tokens = line.requiredInt("max_tokens");
        if (tokens < 1) {
            throw line.error("max_tokens", "a whole number of at least 1", "correct the value");
        }
        return tokens;
    }

    /** One text or several. */
    private static List<String> stop(ConfigReader line) {
        return line.json().get(STOP).isJsonArray() ? line.strings(STOP) : List.of(line.requiredString(STOP));
    }
}
