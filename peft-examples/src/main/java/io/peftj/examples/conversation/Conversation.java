package io.peftj.examples.conversation;

import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.backbone.Backbones;
import io.peftj.djl.chat.Message;
import io.peftj.djl.serve.Adapters;
import io.peftj.djl.serve.Completion;
import io.peftj.djl.serve.Generator;
import io.peftj.djl.serve.Request;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The base model and adapters of it answer the same turns: one batch a turn, a row a voice, each with its own history.
 *
 * <p>Usage: {@code Conversation MODEL [NAME=ADAPTER]...}; a line from standard input is a turn.
 */
public final class Conversation {
    private static final String BASE = "base";

    private final Backbone base;
    private final Generator generator;

    private final List<String> voices = new ArrayList<>(List.of(BASE));

    /** What was said so far, by voice. */
    private final Map<String, List<Message>> histories = new HashMap<>();

    /** The voices are the base model's, and that of each adapter in the registry that the generator was made of. */
    Conversation(Backbone base, Adapters adapters, Generator generator) {
        this.base = base;
        this.generator = generator;
        if (adapters.names().contains(BASE)) {
            throw new IllegalArgumentException(
                    "an adapter is called " + BASE + ", as the bare model is; give it another name");
        }
        voices.addAll(adapters.names());
    }

    /** Runs the example. */
    public static void main(String... args) throws IOException {
        if (args.length == 0) {
            System.err.println("usage: Conversation MODEL [NAME=ADAPTER]...");
            System.exit(2);
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader turns = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Backbone base = Backbones.load(Path.of(args[0]));
                Adapters adapters = Adapters.on(base)) {
            for (String adapter : List.of(args).subList(1, args.length)) {
                String[] parts = adapter.split("=", 2);
                adapters.put(parts[0], AdapterLoader.load(Path.of(parts[parts.length - 1]), base));
            }
            Conversation conversation = new Conversation(base, adapters, Generator.of(adapters));
            for (String turn = turns.readLine(); turn != null; turn = turns.readLine()) {
                out.println("> " + turn);
                conversation.say(turn, out);
            }
        }
    }

    /** Asks all voices and prints their answers while they are written. */
    void say(String turn, PrintStream out) {
        List<Request> requests =
                voices.stream().map(voice -> request(voice, turn)).toList();
        Lines lines = new Lines(voices, out);
        List<Completion> answers = generator.generateEach(requests, lines);
        for (int i = 0; i < voices.size(); i++) {
            history(voices.get(i)).add(Message.assistant(answers.get(i).text()));
        }
    }

    private Request request(String voice, String turn) {
        List<Message> history = history(voice);
        history.add(Message.user(turn));
        return Request.whole(base.tokenizer().chatTemplate().prompt(history)).with(voice.equals(BASE) ? null : voice);
    }

    private List<Message> history(String voice) {
        return histories.computeIfAbsent(voice, each -> new ArrayList<>());
    }
}
