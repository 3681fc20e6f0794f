package io.peftj.djl.engine;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The kernels' text, method by method. */
final class KernelSource {
    private static final Pattern METHOD = Pattern.compile("^def (\\w+)\\(", Pattern.MULTILINE);
    private static final Pattern CALL = Pattern.compile("\\bself\\.(\\w+)\\(");

    private final Map<String, String> methods = new LinkedHashMap<>();

    /**
     * Reads resources of this package.
     *
     * @param device where kernels make tensors, in libtorch's words
     */
    KernelSource(List<String> resources, String device) {
        for (String name : resources) {
            String text = resource(name).replace("@DEVICE@", device);
            Matcher method = METHOD.matcher(text);
            boolean found = method.find();
            while (found) {
                String called = method.group(1);
                int begin = method.start();
                found = method.find();
                methods.put(called, text.substring(begin, found ? method.start() : text.length()));
            }
        }
    }

    /** All methods. */
    String all() {
        return String.join("\n", methods.values());
    }

    /** A text of further methods, behind those that it calls and those that they call. */
    String behindWhatItCalls(String text) {
        Set<String> needed = new LinkedHashSet<>();
        Deque<String> unread = new ArrayDeque<>(List.of(text));
        while (!unread.isEmpty()) {
            Matcher call = CALL.matcher(unread.pop());
            while (call.find()) {
                String method = methods.get(call.group(1));
                if (method != null && needed.add(method)) {
                    unread.push(method);
                }
            }
        }
        needed.add(text);
        return String.join("\n", needed);
    }

    private static String resource(String name) {
        try (InputStream in = KernelSource.class.getResourceAsStream(name + ".py.txt")) {
            if (in == null) {
                throw new IllegalStateException("the resource " + name + ".py.txt is missing from the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
