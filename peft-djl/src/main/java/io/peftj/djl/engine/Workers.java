package io.peftj.djl.engine;

import io.peftj.core.PeftException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The few platform threads that native work runs on.
 *
 * <p>libtorch keeps its settings, its pools of threads and its memory by thread, so they are set up once here and callers wait.
 */
final class Workers implements AutoCloseable {
    private static final AtomicInteger POOLS = new AtomicInteger();

    private final ExecutorService executor;
    private final ThreadGroup group = new ThreadGroup("peft-engine-" + POOLS.incrementAndGet());

    /**
     * Starts threads as tasks come.
     *
     * @param atStart what each thread does first
     */
    Workers(int count, Runnable atStart) {
        AtomicInteger number = new AtomicInteger();
        executor = Executors.newFixedThreadPool(count, tasks -> {
            Runnable body = () -> {
                atStart.run();
                tasks.run();
            };
            Thread thread = new Thread(group, body, group.getName() + "-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Runs a task on a thread of these and waits for it; on such a thread already, runs it there. */
    <T> T call(Callable<T> task) {
        if (Thread.currentThread().getThreadGroup() == group) {
            return run(task);
        }
        Job<T> job = new Job<>(task);
        try {
            executor.execute(job);
        } catch (RejectedExecutionException e) {
            throw new IllegalStateException("call: the backend is closed", e);
        }
        return job.await();
    }

    /**
     * Runs tasks on these threads, as many at once as there are, and waits for all of them; on such a thread already, runs them there one by one.
     *
     * <p>When one fails, or the caller is interrupted, the others are interrupted too. What the first failed one threw is thrown after all have ended.
     */
    <T> List<T> callAll(List<Callable<T>> tasks) {
        if (Thread.currentThread().getThreadGroup() == group) {
            return tasks.stream().map(Workers::run).toList();
        }
        List<Job<T>> jobs = tasks.stream().map(Job::new).toList();
        try {
            jobs.forEach(executor::execute);
        } catch (RejectedExecutionException e) {
            throw new IllegalStateException("callAll: the backend is closed", e);
        }
        List<T> results = new ArrayList<>();
        Throwable failure = null;
        for (Job<T> job : jobs) {
            try {
                results.add(job.await());
            } catch (RuntimeException | Error e) {
                if (failure == null) {
                    failure = e;
                    jobs.forEach(Job::cancel);
                }
            }
        }
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure instanceof RuntimeException exception) {
            throw exception;
        }
        return results;
    }

    /** Lets running and waiting tasks end. */
    @Override
    public void close() {
        if (Thread.currentThread().getThreadGroup() == group) {
            throw new IllegalStateException("close: a backend cannot be closed by a task that runs on it");
        }
        executor.shutdown();
        boolean interrupted = false;
        while (true) {
            try {
                if (executor.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS)) {
                    break;
                }
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static <T> T run(Callable<T> task) {
        try {
            return task.call();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new PeftException("a task on the backend failed: " + e.getMessage(), e);
        }
    }

    /** A task that its caller waits for, and whose thread is interrupted only while it runs. */
    private static final class Job<T> implements Runnable {
        private @Nullable Callable<T> task;
        private final CompletableFuture<T> outcome = new CompletableFuture<>();
        private @Nullable Thread runner;
        private boolean cancelled;

        Job(Callable<T> task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (!begin()) {
                outcome.completeExceptionally(new CancellationException("the task was cancelled before it began"));
                return;
            }
            try {
                T result = Workers.run(take());
                end();
                outcome.complete(result);
            } catch (Throwable e) { // errors too belong to the caller
                end();
                outcome.completeExceptionally(e);
            }
        }

        /** The task, once: the thread may hold this job for a while longer, and nothing that the task uses shall stay with it. */
        private Callable<T> take() {
            Callable<T> taken = Objects.requireNonNull(task);
            task = null;
            return taken;
        }

        private synchronized boolean begin() {
            if (!cancelled) {
                runner = Thread.currentThread();
            }
            return !cancelled;
        }

        /** An interrupt meant for this task must not reach the thread's next one. */
        private synchronized void end() {
            runner = null;
            boolean unused = Thread.interrupted();
        }

        private synchronized void cancel() {
            cancelled = true;
            if (runner != null) {
                runner.interrupt();
            }
        }

        /**
         * Waits until the task has ended, also when interrupted: what it uses must not be freed under it.
         *
         * <p>A task that ends well in spite of the interrupt gives its result, and the caller stays interrupted.
         */
        T await() {
            boolean interrupted = false;
            try {
                while (true) {
                    try {
                        return outcome.get();
                    } catch (InterruptedException e) {
                        interrupted = true;
                        cancel();
                    }
                }
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                if (e.getCause() instanceof Error cause) {
                    throw cause;
                }
                throw new IllegalStateException("a task ended with neither an error nor a result", e);
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }
}
