namespace ActorTrainer.Host.Cli;

/// <summary>The commands that exist, in the order of the help.</summary>
/// <param name="commands">Commands with different names.</param>
public sealed class CommandTable(IReadOnlyList<ICommand> commands)
{
    public IReadOnlyList<ICommand> Commands { get; } = commands;

    public IEnumerable<string> Names => Commands.Select(command => command.Description.Name);

    /// <summary>The command of that name, or null.</summary>
    public ICommand? Find(string name) => Commands.FirstOrDefault(command => command.Description.Name == name);
}
