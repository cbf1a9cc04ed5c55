using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cli;

/// <summary><c>actortrainer config</c>: the merged configuration with the origin of each value.</summary>
public sealed class ConfigCommand : ICommand
{
    public CommandDescription Description { get; } = new()
    {
        Name = "config",
        Summary = "print the merged configuration and where each value comes from",
        Paragraphs =
        [
            """
            Checks the settings as the command itself would, and prints the result as HOCON with the origin of
            each value as a comment. Nothing is started and no file is written.
            """,
        ],
        Arguments = [new("COMMAND", "whose defaults to start from, e.g. dev; pretrain when left out", Required: false)],
        Options = [new("--json", "print one JSON object instead: key to { value, origin }")],
        Examples =
        [
            new("config arch=crammed-bert train=bert-o4 data=pile-readymade", "what pretrain would do with these"),
            new("config dev", "what dev does by itself"),
            new("config dev data.path=notes --json", "the same with your text, for a program to read"),
        ],
        Keys = ["name", "base_dir", "seed"],
    };

    public ConfigProfile Profile(IReadOnlyList<string> arguments, CommandTable table)
    {
        if (arguments.Count == 0)
        {
            return table.Find(Pretrain) is { } usual ? usual.Profile([], table) : new ConfigProfile(Pretrain, []);
        }

        var command = CommandLine.FindCommand(arguments[0], table);
        return command is { Description.TakesConfiguration: true } and not ConfigCommand
            ? command.Profile([], table)
            : throw new RefusedException(
                $"{arguments[0]} has no configuration. Commands that have: "
                + string.Join(", ", table.Commands.Where(other => other.Description.TakesConfiguration && other is not ConfigCommand).Select(other => other.Description.Name)));
    }

    public Task<int> Run(CommandContext context, CancellationToken cancellation)
    {
        var resolved = context.Configuration!;
        context.Out.Write(context.Has("--json")
            ? ConfigPrinter.PrintJson(resolved)
            : ConfigPrinter.Summary(context.Arguments.FirstOrDefault(Pretrain), resolved.Run) + ConfigPrinter.Print(resolved));
        return Task.FromResult(App.Done);
    }

    private const string Pretrain = "pretrain";
}
