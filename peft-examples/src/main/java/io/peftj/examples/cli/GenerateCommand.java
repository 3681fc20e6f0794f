package io.peftj.examples.cli;

import io.peftj.core.InvalidConfigException;
import io.peftj.djl.backbone.AdapterLoader;
import io.peftj.djl.backbone.Backbone;
import io.peftj.djl.chat.ChatTemplate;
import io.peftj.djl.chat.Message;
import io.peftj.djl.data.TextFiles;
import io.peftj.djl.serve.Adapters;
import io.peftj.djl.serve.Completion;
import io.peftj.djl.serve.Generator;
import io.peftj.djl.serve.Request;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Continues texts, chats, and answers files of prompts, with adapters. */
@Command(
        name = "generate",
        header = "Continues texts, chats, or answers a file of prompts, with adapters.",
        description = {
            "--prompt continues one text, put into the template that the adapter was trained with, and prints it while it is"
                    + " written. --chat holds a conversation through the model's chat template: a line from standard input is"
                    + " a turn, an answer is printed while it is written, and the end of the input ends it.",
            "--input reads JSON lines, each with a \"prompt\" or \"messages\", and prints one line of JSON for each, in their"
                    + " order. A line may name its \"adapter\", null for the base model alone, and bring its own \"id\","
                    + " max_tokens, temperature, top_k, top_p, repetition_penalty, seed and stop. Lines are computed"
                    + " together, whatever their lengths and adapters.",
            "Logits change in this order, as in Hugging Face's transformers: repetition penalty, temperature, top k, top p."
        })
final class GenerateCommand implements Callable<Integer> {
    /** What shells report of a process that Ctrl-C ended. */
    private static final int INTERRUPTED = 130;

    private final ModelOpener opener;
    private final InputStream in;

    @Spec
    private CommandSpec command;

    @Mixin
    private ModelOptions model;

    @Option(
            names = "--adapter",
            paramLabel = "[NAME=]DIR",
            description = "An adapter, under a name, or else its folder's; may be given several times.")
    private List<String> adapters = List.of();

    @Option(
            names = "--use",
            paramLabel = "NAME",
            description = "The adapter of prompts that name none; the one that is given, if it is one.")
    private @Nullable String use;

    @ArgGroup(multiplicity = "1")
    private Mode mode;

    @Option(names = "--system", paramLabel = "TEXT", description = "What the model is told before a chat.")
    private @Nullable String system;

    @Mixin
    private SamplingOptions sampling;

    /** What is continued. */
    static final class Mode {
        @Option(names = "--prompt", paramLabel = "TEXT", description = "Continue this text.")
        private @Nullable String prompt;

        @Option(names = "--chat", description = "Answer the lines of standard input, one after another.")
        private boolean chat;

        @Option(
                names = "--input",
                paramLabel = "FILE",
                description = "Answer a file of JSON lines; - for standard input.")
        private @Nullable Path input;
    }

    GenerateCommand(ModelOpener opener, InputStream in) {
        this.opener = opener;
        this.in = in;
    }

    @Override
    public Integer call() {
        if (system != null && !mode.chat) {
            throw new InvalidConfigException("--system is for --chat; in JSON lines it is a message of its own");
        }
        Map<String, Path> folders = folders();
        String usual = usual(folders);
        try (Backbone base = model.open(opener);
                Adapters registry = Adapters.on(base);
                ShutdownSignal signal = ShutdownSignal.listen()) {
            folders.forEach((name, folder) -> registry.put(name, AdapterLoader.load(folder, base)));
            Generator generator =
                    Generator.of(registry).with(sampling.settings()).cancelWhen(signal::isGiven);
            try {
                run(base, generator, folders, usual);
            } catch (CancellationException e) {
                if (!signal.isGiven()) {
                    throw e;
                }
                return INTERRUPTED;
            }
        }
        return 0;
    }

    private void run(Backbone base, Generator generator, Map<String, Path> folders, @Nullable String usual) {
        if (mode.chat) {
            chat(base.tokenizer().chatTemplate(), generator, usual);
        } else if (mode.input != null) {
            answer(base, generator, mode.input, folders, usual);
        } else {
            stream(generator, Request.of(mode.prompt == null ? "" : mode.prompt).with(usual));
        }
    }

    private Map<String, Path> folders() {
        Map<String, Path> folders = new LinkedHashMap<>();
        for (String given : adapters) {
            int equals = given.indexOf('=');
            Path folder = Path.of(given.substring(equals + 1));
            String name = equals > 0
                    ? given.substring(0, equals)
                    : folder.toAbsolutePath().normalize().getFileName().toString();
            if (folders.put(name, folder) != null) {
                throw new InvalidConfigException("--adapter " + given + ": another adapter is called " + name
                        + " already; give each a name of its own, as NAME=DIR");
            }
        }
        return folders;
    }

    private @Nullable String usual(Map<String, Path> folders) {
        if (use != null && !folders.containsKey(use)) {
            throw new InvalidConfigException("--use " + use + ": expected one of " + folders.keySet()
                    + "; give it by --adapter " + use + "=DIR");
        }
        if (use == null && folders.size() > 1 && mode.input == null) {
            throw new InvalidConfigException(
                    "--adapter: found " + folders.keySet() + "; say by --use which of them answers");
        }
        return use == null && folders.size() == 1 ? folders.keySet().iterator().next() : use;
    }

    /** Prints a text while it is written. */
    private Completion stream(Generator generator, Request request) {
        PrintWriter out = command.commandLine().getOut();
        long began = System.nanoTime();
        Completion completion = generator
                .generateEach(List.of(request), (number, piece) -> {
                    out.print(piece);
                    out.flush();
                })
                .get(0);
        out.println();
        out.flush();
        int tokens = completion.tokens().size();
        PrintWriter err = command.commandLine().getErr();
        err.printf(
                "%d tokens, %.1f tokens/s, %s%n",
                tokens,
                tokens / ((System.nanoTime() - began) / 1e9),
                completion.ended() ? "ended" : "cut at --max-tokens");
        err.flush();
        return completion;
    }

    private void chat(ChatTemplate template, Generator generator, @Nullable String usual) {
        List<Message> messages = new ArrayList<>();
        if (system != null) {
            messages.add(Message.system(system));
        }
        BufferedReader turns = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
        for (String turn = ask(turns); turn != null; turn = ask(turns)) {
            if (!turn.isBlank()) {
                messages.add(Message.user(turn));
                Completion answer = stream(
                        generator, Request.whole(template.prompt(messages)).with(usual));
                messages.add(Message.assistant(answer.text()));
            }
        }
    }

    private @Nullable String ask(BufferedReader turns) {
        command.commandLine().getErr().print("> ");
        command.commandLine().getErr().flush();
        try {
            return turns.readLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void answer(
            Backbone base, Generator generator, Path input, Map<String, Path> folders, @Nullable String usual) {
        PromptLines prompts = PromptLines.read(
                input.toString().equals("-")
                        ? "standard input"
                        : input.getFileName().toString(),
                lines(input),
                new PromptLines.Defaults(
                        sampling.settings(), usual, usual == null && folders.size() > 1, folders.keySet()),
                () -> base.tokenizer().chatTemplate());
        generator.generateEach(
                prompts.requests(),
                new AnswerLines(
                        prompts,
                        command.commandLine().getOut(),
                        command.commandLine().getErr()));
    }

    private List<String> lines(Path input) {
        try {
            return input.toString().equals("-")
                    ? new String(in.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .toList()
                    : Files.readAllLines(input);
        } catch (IOException e) {
            throw TextFiles.unreadable(input, e);
        }
    }
}
