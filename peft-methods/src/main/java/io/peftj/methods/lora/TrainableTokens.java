package io.peftj.methods.lora;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.ConfigJson;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.Targets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Tokens whose embeddings are trained and saved beside the low-rank matrices, as PEFT's trainable_token_indices. */
public sealed interface TrainableTokens {
    /** The key in adapter_config.json. */
    String KEY = "trainable_token_indices";

    /** Tokens of the token embeddings, and where these are tied of the output embedding too: a list in the file. */
    record OfEmbeddings(List<Integer> tokens) implements TrainableTokens {
        /** Keeps a copy. */
        public OfEmbeddings {
            tokens = List.copyOf(tokens);
            check(KEY, tokens);
        }
    }

    /**
     * Tokens by the end of a module's name, such as "embed_tokens" or "lm_head": an object in the file. The rows of a tied token embedding act on the
     * output embedding too, unless that is given other tokens.
     */
    record ByModule(Map<String, List<Integer>> tokens) implements TrainableTokens {
        /** Keeps a copy. */
        public ByModule {
            Map<String, List<Integer>> copy = new LinkedHashMap<>();
            tokens.forEach((module, of) -> {
                check(KEY + ", \"" + module + "\"", of);
                copy.put(module, List.copyOf(of));
            });
            if (copy.isEmpty()) {
                throw new InvalidConfigException(
                        KEY + ": expected tokens of at least one module, found none; leave it out");
            }
            tokens = Collections.unmodifiableMap(copy);
        }
    }

    private static void check(String key, List<Integer> tokens) {
        Set<Integer> seen = new HashSet<>();
        for (int token : tokens) {
            if (token < 0 || !seen.add(token)) {
                throw new InvalidConfigException(key + ": expected token ids of at least 0, each once, found " + token
                        + (token < 0 ? "" : " twice") + "; give the ids that the tokenizer has for the tokens");
            }
        }
        if (tokens.isEmpty()) {
            throw new InvalidConfigException(key + ": expected at least one token id, found none; leave it out");
        }
    }

    // ---- on a model ----

    /**
     * The rows to train on a model.
     *
     * @throws InvalidConfigException if a module or a token is none of the model's
     */
    default List<TokenEmbeddings> on(BackboneSpec spec) {
        Map<Site, List<Integer>> tokens = bySite(spec);
        tokens.forEach((site, of) -> of.forEach(token -> {
            if (token >= site.out()) {
                throw new InvalidConfigException(KEY + " names the token " + token + " of " + site.name()
                        + ", which has tokens 0 to " + (site.out() - 1) + "; add none to the model's vocabulary");
            }
        }));
        List<TokenEmbeddings> found = new ArrayList<>();
        Set<Site> done = new HashSet<>();
        for (Map.Entry<Site, List<Integer>> entry : tokens.entrySet()) {
            Site site = entry.getKey();
            List<Site> ends = new ArrayList<>(List.of(site));
            if (spec.tied() && site.role() == Role.EMBEDDING) {
                spec.sites(Role.OUTPUT_EMBEDDING).stream()
                        .filter(other ->
                                tokens.getOrDefault(other, entry.getValue()).equals(entry.getValue()))
                        .forEach(ends::add);
            }
            if (!done.contains(site)) {
                found.add(new TokenEmbeddings(site, entry.getValue(), ends));
                done.addAll(ends);
            }
        }
        return found;
    }

    /** Token embeddings first, so that a tied output embedding finds them there. */
    private Map<Site, List<Integer>> bySite(BackboneSpec spec) {
        List<Site> candidates = new ArrayList<>(spec.sites(Role.EMBEDDING));
        candidates.addAll(spec.sites(Role.OUTPUT_EMBEDDING));
        Map<Site, List<Integer>> found = new LinkedHashMap<>();
        if (this instanceof OfEmbeddings of) {
            spec.sites(Role.EMBEDDING).forEach(site -> found.put(site, of.tokens()));
            return found;
        }
        Map<String, List<Integer>> given = ((ByModule) this).tokens();
        for (Site site : candidates) {
            given.entrySet().stream()
                    .filter(entry -> Targets.matches(site.name(), entry.getKey()))
                    .findFirst()
                    .ifPresent(entry -> found.put(site, entry.getValue()));
        }
        given.keySet().forEach(module -> {
            if (candidates.stream().noneMatch(site -> Targets.matches(site.name(), module))) {
                throw new InvalidConfigException(KEY + " names \"" + module
                        + "\", which is no embedding of the model; there are "
                        + candidates.stream().map(Site::name).toList());
            }
        });
        return found;
    }

    // ---- in the file ----

    /** Reads the key; null where it asks for nothing. */
    static @Nullable TrainableTokens read(ConfigReader reader) {
        if (!ConfigJson.isSet(reader.json(), KEY)) {
            return null;
        }
        if (reader.json().get(KEY).isJsonArray()) {
            return new OfEmbeddings(reader.ints(KEY));
        }
        Map<String, List<Integer>> tokens = new LinkedHashMap<>();
        reader.optionalObject(KEY).ifPresent(object -> object.keys().forEach(key -> tokens.put(key, object.ints(key))));
        return new ByModule(tokens);
    }

    /** The value of the key. */
    static JsonElement write(@Nullable TrainableTokens tokens) {
        if (tokens instanceof OfEmbeddings of) {
            return array(of.tokens());
        }
        if (tokens instanceof ByModule by) {
            JsonObject object = new JsonObject();
            by.tokens().forEach((module, of) -> object.add(module, array(of)));
            return object;
        }
        return JsonNull.INSTANCE;
    }

    private static JsonArray array(List<Integer> tokens) {
        JsonArray array = new JsonArray();
        tokens.forEach(array::add);
        return array;
    }
}
