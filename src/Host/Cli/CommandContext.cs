using ActorTrainer.Host.Configuration;
using Spectre.Console;

namespace ActorTrainer.Host.Cli;

/// <summary>What a command gets to work with.</summary>
public sealed record CommandContext
{
    public required CommandTable Table { get; init; }

    /// <summary>The configuration; null when the command takes none.</summary>
    public required ResolvedConfiguration? Configuration { get; init; }

    /// <summary>Words by position.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>The command's own options; a switch has an empty value.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    /// <summary>The words after <c>actortrainer</c>, as they were typed.</summary>
    public required IReadOnlyList<string> Words { get; init; }

    /// <summary>Standard output for rich text; writes plain text when it is not a terminal.</summary>
    public required IAnsiConsole Console { get; init; }

    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>The typed configuration.</summary>
    /// <exception cref="InvalidOperationException">The command takes no configuration.</exception>
    public RunConfiguration Run => Configuration?.Run ?? throw new InvalidOperationException("This command takes no configuration.");

    /// <summary>Whether an option was given.</summary>
    public bool Has(string option) => Options.ContainsKey(option);

    /// <summary>The value of an option, or null.</summary>
    public string? Option(string option) => Options.GetValueOrDefault(option);
}
