using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;
using Spectre.Console;

namespace ActorTrainer.Host.Cli;

/// <summary>From words to an exit code: 0 done, 2 refused input or configuration, 1 failure.</summary>
public static class App
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Something failed that was allowed to start.</summary>
    public const int Failed = 1;

    /// <summary>Input or configuration was refused before any work.</summary>
    public const int Refused = 2;

    /// <summary>Words that <c>help</c> takes; it is answered here, since it needs no configuration.</summary>
    private static readonly CommandDescription Help = new()
    {
        Name = "help",
        Summary = "help on a command, a group, or all keys",
        Arguments = [new("TOPIC", "a command, a group, or keys", Required: false)],
        TakesConfiguration = false,
    };

    /// <summary>Runs one command. Throws nothing: what goes wrong is said on <paramref name="error"/>.</summary>
    /// <param name="words">Words after <c>actortrainer</c>.</param>
    /// <param name="table">The commands that exist.</param>
    /// <param name="output">Standard output.</param>
    /// <param name="error">Standard error.</param>
    /// <param name="cancellation">The user's Ctrl-C.</param>
    public static async Task<int> Run(
        IReadOnlyList<string> words, CommandTable table, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        string? command = null;
        try
        {
            var line = CommandLine.Parse(words, table);
            command = line.Command;
            return await Dispatch(line, words, table, output, error, cancellation).ConfigureAwait(false);
        }
        catch (RefusedException e)
        {
            await error.WriteLineAsync($"actortrainer: {e.Message}").ConfigureAwait(false);
            var known = command is not null && table.Find(command) is not null;
            await error.WriteLineAsync($"Help: actortrainer help{(known ? " " + command : "")}").ConfigureAwait(false);
            return Refused;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await error.WriteLineAsync($"actortrainer: {command} was interrupted before it was done.").ConfigureAwait(false);
            return Failed;
        }
        catch (Exception e)
        {
            await error.WriteLineAsync($"actortrainer: {command} failed: {Explain(e, Tracing(words))}").ConfigureAwait(false);
            return Failed;
        }
    }

    private static async Task<int> Dispatch(
        CommandLine line, IReadOnlyList<string> words, CommandTable table, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var library = ConfigLibrary.Open(line.Options.GetValueOrDefault("--config-dir"));
        if (line.Options.ContainsKey("--version"))
        {
            output.Write(VersionCommand.Text());
            return Done;
        }

        if (line.Command is null or "help" || line.Options.ContainsKey("--help"))
        {
            var topic = line.Command;
            if (line.Command == "help")
            {
                line.CheckFor(Help);
                topic = line.Arguments.FirstOrDefault();
            }

            output.Write(new HelpText(table, library).Of(topic));
            return Done;
        }

        var command = CommandLine.FindCommand(line.Command, table)!;
        line.CheckFor(command.Description);
        var context = new CommandContext
        {
            Table = table,
            Configuration = command.Description.TakesConfiguration
                ? ConfigResolver.Resolve(library, command.Profile(line.Arguments, table), line.Assignments)
                : null,
            Arguments = line.Arguments,
            Options = line.Options,
            Words = words,
            Console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }),
            Out = output,
            Error = error,
        };
        return await command.Run(context, cancellation).ConfigureAwait(false);
    }

    private static bool Tracing(IReadOnlyList<string> words) =>
        words.Contains("--trace") || Environment.GetEnvironmentVariable("ACTORTRAINER_TRACE") is { Length: > 0 } and not "0";

    /// <summary>The chain of messages, since the outermost is often the least telling; the whole exception on demand.</summary>
    private static string Explain(Exception exception, bool trace)
    {
        if (trace)
        {
            return exception.ToString();
        }

        var messages = new List<string>();
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e is not AggregateException && !messages.Any(message => message.Contains(e.Message, StringComparison.Ordinal)))
            {
                messages.Add(e.Message);
            }
        }

        return string.Join(" / ", messages) + "\nWhere it arose: run it again with --trace.";
    }
}
