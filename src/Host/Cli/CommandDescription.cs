namespace ActorTrainer.Host.Cli;

/// <summary>A word that a command takes by its position.</summary>
/// <param name="Name">As in the usage line, e.g. <c>A</c>.</param>
/// <param name="Help">What it is.</param>
/// <param name="Required">False: may be left out, and so may those after it.</param>
public sealed record CommandArgument(string Name, string Help, bool Required = true);

/// <summary>A command's own option.</summary>
/// <param name="Name"><c>--json</c>, or without dashes a <c>name=value</c> word that is no configuration key, e.g. <c>out</c>.</param>
/// <param name="Help">What it does.</param>
/// <param name="Value">Placeholder of the value, e.g. <c>FILE</c>; null: a switch.</param>
public sealed record CommandOption(string Name, string Help, string? Value = null);

/// <summary>An example line of the help.</summary>
/// <param name="Line">What to type after <c>actortrainer</c>.</param>
/// <param name="Help">What it does.</param>
public sealed record CommandExample(string Line, string Help);

/// <summary>All that help and the command line need to know of a command.</summary>
public sealed record CommandDescription
{
    /// <summary>As typed.</summary>
    public required string Name { get; init; }

    /// <summary>One line of the overview.</summary>
    public required string Summary { get; init; }

    /// <summary>Paragraphs of the command's help; lines up to 100 characters.</summary>
    public IReadOnlyList<string> Paragraphs { get; init; } = [];

    public IReadOnlyList<CommandArgument> Arguments { get; init; } = [];

    public IReadOnlyList<CommandOption> Options { get; init; } = [];

    public IReadOnlyList<CommandExample> Examples { get; init; } = [];

    /// <summary>Whether <c>group=choice</c> and <c>key=value</c> words are taken, and a configuration is resolved before the command runs.</summary>
    public bool TakesConfiguration { get; init; } = true;

    /// <summary>The command's own choices below the user's, e.g. <c>arch=dev</c>.</summary>
    public IReadOnlyList<string> Defaults { get; init; } = [];

    /// <summary>Sections and keys that the command reads; null = all.</summary>
    public IReadOnlyList<string>? Accepts { get; init; }

    /// <summary>Whether its model is read from files: see <see cref="Configuration.ConfigProfile.ReadsModel"/>.</summary>
    public bool ReadsModel { get; init; }

    /// <summary>Full names of the keys worth naming in the help.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>What exit code 0 means.</summary>
    public string Done { get; init; } = "done";

    /// <summary>What exit code 1 means.</summary>
    public string Failed { get; init; } = "failure";
}
