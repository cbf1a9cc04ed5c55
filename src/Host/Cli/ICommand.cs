using ActorTrainer.Host.Configuration;

namespace ActorTrainer.Host.Cli;

/// <summary>One command of the program.</summary>
public interface ICommand
{
    /// <summary>Its name, words and help.</summary>
    CommandDescription Description { get; }

    /// <summary>What the configuration starts from; <c>config dev</c> starts from dev's.</summary>
    /// <param name="arguments">The words that the command takes by position.</param>
    /// <param name="table">All commands.</param>
    /// <exception cref="ActorTrainer.Model.Common.RefusedException">The arguments name nothing that exists.</exception>
    ConfigProfile Profile(IReadOnlyList<string> arguments, CommandTable table) => new(Description.Name, Description.Defaults, Description.Accepts, Description.ReadsModel);

    /// <summary>Does the work.</summary>
    /// <returns>The exit code; 0 done, 1 failure.</returns>
    /// <exception cref="ActorTrainer.Model.Common.RefusedException">Input is refused: exit code 2.</exception>
    Task<int> Run(CommandContext context, CancellationToken cancellation);
}

/// <summary>A command made of its description and a function.</summary>
/// <param name="description">Its name, words and help.</param>
/// <param name="run">Its work.</param>
public sealed class DelegateCommand(CommandDescription description, Func<CommandContext, CancellationToken, Task<int>> run) : ICommand
{
    public CommandDescription Description { get; } = description;

    public Task<int> Run(CommandContext context, CancellationToken cancellation) => run(context, cancellation);
}
