package io.peftj.core.io.gguf;

import static io.peftj.core.io.gguf.TokenizerJson.array;
import static io.peftj.core.io.gguf.TokenizerJson.object;
import static io.peftj.core.io.gguf.TokenizerJson.typed;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The vocabulary of a GGUF file as a tokenizer.json for Hugging Face's tokenizers: byte-level pairs as GPT-2 has them, or SentencePiece's pairs as LLaMA
 * 1 and 2 have them.
 */
final class GgufTokenizer {
    static final String PREFIX = "tokenizer.ggml.";

    private static final String SPACE = "\u2581";
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;
    /** Longer than any vocabulary's; the time that pairs take grows with the square. */
    private static final int MAX_TOKEN_LENGTH = 4096;

    private final ConfigReader metadata;
    private final List<String> tokens;
    private final List<Integer> kinds;
    private final Map<String, Integer> ids = new LinkedHashMap<>();

    private GgufTokenizer(ConfigReader metadata) {
        this.metadata = metadata;
        this.tokens = metadata.strings(PREFIX + "tokens");
        this.kinds = metadata.ints(PREFIX + "token_type");
        if (!kinds.isEmpty() && kinds.size() != tokens.size()) {
            throw wrong("token_type", "one for each of " + tokens.size() + " tokens");
        }
        for (String token : tokens) {
            if (token.length() > MAX_TOKEN_LENGTH || ids.putIfAbsent(token, ids.size()) != null) {
                throw wrong("tokens", "each token once, of at most " + MAX_TOKEN_LENGTH + " characters");
            }
        }
    }

    /** The tokenizer of a file's metadata; empty if there is none. */
    static Optional<GgufTokenizer> of(ConfigReader metadata) {
        return metadata.has(PREFIX + "tokens") ? Optional.of(new GgufTokenizer(metadata)) : Optional.empty();
    }

    /** The text of the token that metadata name by its id, such as "bos". */
    Optional<String> special(String name) {
        String key = name + "_token_id";
        if (!metadata.has(PREFIX + key)) {
            return Optional.empty();
        }
        int id = metadata.requiredInt(PREFIX + key);
        if (id < 0 || id >= tokens.size()) {
            throw wrong(key, "an id from 0 to " + (tokens.size() - 1));
        }
        return Optional.of(tokens.get(id));
    }

    /** The text of tokenizer.json. */
    String json() {
        JsonObject json = switch (metadata.requiredString(PREFIX + "model")) {
            case "gpt2" -> byteLevel();
            case "llama" -> sentencePiece();
            default -> throw wrong("model", "gpt2 or llama");
        };
        json.addProperty("version", "1.0");
        json.add("added_tokens", addedTokens());
        return Json.writeCompact(json);
    }

    private JsonObject byteLevel() {
        PreTokenizer cut = PreTokenizer.named(metadata);
        JsonArray merges = new JsonArray();
        for (String merge : metadata.strings(PREFIX + "merges")) {
            int space = merge.indexOf(' ', 1);
            if (space < 0) {
                throw wrong("merges", "pairs with a space between");
            }
            merges.add(array(merge.substring(0, space), merge.substring(space + 1)));
        }
        JsonObject json = new JsonObject();
        json.add("normalizer", cut.normalizer());
        json.add("pre_tokenizer", cut.json());
        json.add("model", typed("BPE", "vocab", vocabulary(), "merges", merges, "ignore_merges", cut.ignoresMerges()));
        json.add("decoder", TokenizerJson.byteLevel(true, true));
        json.add("post_processor", around(cut.beginsTexts()));
        return json;
    }

    private JsonObject sentencePiece() {
        List<Double> scores = metadata.doubles(PREFIX + "scores");
        if (scores.size() != tokens.size()) {
            throw wrong("scores", "one for each of " + tokens.size() + " tokens");
        }
        boolean prefixed = metadata.optionalBoolean(PREFIX + "add_space_prefix", true);
        JsonObject replace = typed("Replace", "pattern", object("String", " "), "content", SPACE);
        JsonObject restore = typed("Replace", "pattern", object("String", SPACE), "content", " ");
        JsonArray decoders = array(restore, typed("ByteFallback"), typed("Fuse"));
        if (prefixed) {
            decoders.add(typed("Strip", "content", " ", "start", 1, "stop", 0));
        }
        JsonObject json = new JsonObject();
        json.add(
                "normalizer",
                typed(
                        "Sequence",
                        "normalizers",
                        prefixed ? array(typed("Prepend", "prepend", SPACE), replace) : array(replace)));
        json.add(
                "model",
                typed(
                        "BPE",
                        "vocab",
                        vocabulary(),
                        "merges",
                        ScoredMerge.of(tokens, ids, scores),
                        "unk_token",
                        special("unknown").orElse("<unk>"),
                        "fuse_unk",
                        true,
                        "byte_fallback",
                        true));
        json.add("decoder", typed("Sequence", "decoders", decoders));
        json.add("post_processor", around(true));
        return json;
    }

    private JsonObject vocabulary() {
        JsonObject vocabulary = new JsonObject();
        ids.forEach(vocabulary::addProperty);
        return vocabulary;
    }

    private JsonArray addedTokens() {
        JsonArray added = new JsonArray();
        for (int id = 0; id < kinds.size(); id++) {
            int kind = kinds.get(id);
            if (kind == UNKNOWN || kind == CONTROL || kind == USER_DEFINED) {
                JsonObject token = object("id", id);
                token.addProperty("content", tokens.get(id));
                for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
                    token.addProperty(flag, false);
                }
                token.addProperty("special", kind != USER_DEFINED);
                added.add(token);
            }
        }
        return added;
    }

    /** Puts the tokens that begin and end a text around it, where the file asks for them. */
    private JsonElement around(boolean usuallyBegins) {
        boolean begins = metadata.optionalBoolean(PREFIX + "add_bos_token", usuallyBegins);
        boolean ends = metadata.optionalBoolean(PREFIX + "add_eos_token", false);
        Optional<String> begin = begins ? special("bos") : Optional.empty();
        Optional<String> end = ends ? special("eos") : Optional.empty();
        if (begin.isEmpty() && end.isEmpty()) {
            return JsonNull.INSTANCE;
        }
        JsonArray single = new JsonArray();
        JsonArray pair = new JsonArray();
        for (String sequence : List.of("A", "B")) {
            JsonArray one = new JsonArray();
            begin.ifPresent(token -> one.add(piece("SpecialToken", token)));
            one.add(piece("Sequence", sequence));
            end.ifPresent(token -> one.add(piece("SpecialToken", token)));
            pair.addAll(one);
            if (single.isEmpty()) {
                single.addAll(one);
            }
        }
        JsonObject special = new JsonObject();
        List.of(begin, end).forEach(token -> token.ifPresent(text -> special.add(text, described(text))));
        return typed("TemplateProcessing", "single", single, "pair", pair, "special_tokens", special);
    }

    private static JsonObject piece(String kind, String id) {
        JsonObject content = object("id", id);
        content.addProperty("type_id", 0);
        return object(kind, content);
    }

    private JsonObject described(String token) {
        JsonObject json = object("id", token);
        json.add("ids", array(ids.getOrDefault(token, 0)));
        json.add("tokens", array(token));
        return json;
    }

    private RuntimeException wrong(String key, String expected) {
        return metadata.error(
                PREFIX + key,
                expected,
                "use another file, or the model's Hugging Face directory with its tokenizer.json");
    }
}
