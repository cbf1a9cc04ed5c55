using System.Text;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cli;

/// <summary>Help pages: the overview, a command, a group, all keys. Choices and defaults are read from the configuration files.</summary>
/// <param name="table">Commands.</param>
/// <param name="library">Configuration files.</param>
public sealed class HelpText(CommandTable table, ConfigLibrary library)
{
    private const string Keys = "keys";

    /// <summary>The line after "Usage:".</summary>
    public static string UsageOf(CommandDescription command)
    {
        var words = new List<string> { "actortrainer", command.Name };
        words.AddRange(command.Arguments.Select(argument => argument.Required ? argument.Name : $"[{argument.Name}]"));
        words.AddRange(command.Options.Where(option => !option.Name.StartsWith('-')).Select(option => $"[{Written(option)}]"));
        if (command.TakesConfiguration)
        {
            words.Add(TakesGroups(command) ? "[group=choice …] [key=value …]" : "[key=value …]");
        }

        words.Add("[option …]");
        return string.Join(' ', words);
    }

    /// <summary>The page of a topic: a command, a group, <c>keys</c>; null: the overview.</summary>
    /// <exception cref="RefusedException">There is no such topic; names the nearest.</exception>
    public string Of(string? topic)
    {
        if (topic is null or "help")
        {
            return Overview();
        }

        if (table.Find(topic) is { } command)
        {
            return Command(command.Description);
        }

        if (ConfigSchema.Groups.Contains(topic))
        {
            return Group(topic);
        }

        if (topic == Keys)
        {
            return AllKeys();
        }

        IReadOnlyList<string> topics = [.. table.Names, .. ConfigSchema.Groups, Keys];
        var nearest = Spelling.Nearest(topic, topics) is { } near ? $"; did you mean {near}?" : ".";
        throw new RefusedException($"{topic}: there is no help on {topic}{nearest} Topics: {string.Join(", ", topics)}");
    }

    private string Overview()
    {
        var page = new StringBuilder();
        page.Append("actortrainer pre-trains BERT models through a pipeline of stage actors.\n\n");
        page.Append("Usage: actortrainer COMMAND [group=choice …] [key=value …] [option …]\n");
        Section(page, "Commands", [.. table.Commands.Select(command => (command.Description.Name, command.Description.Summary)), ("help [TOPIC]", "help on a command, a group, or all keys")]);
        Section(page, "Settings",
        [
            ("arch=tiny", "takes the group file arch/tiny.conf (actortrainer help arch lists the choices)"),
            ("train.optim.lr=2e-3", "sets one key (actortrainer help keys lists them all)"),
        ]);
        Section(page, "Options", [.. CommandLine.CommonOptions.Select(option => (Written(option), option.Help))]);
        var examples = table.Commands.SelectMany(command => command.Description.Examples.Take(1)).Select(example => ("actortrainer " + example.Line, example.Help)).ToList();
        Section(page, "Examples", examples);
        ExitCodes(page, "done", "failure");
        return page.ToString();
    }

    private string Command(CommandDescription command)
    {
        var page = new StringBuilder();
        page.Append($"actortrainer {command.Name}: {command.Summary}\n\n");
        page.Append($"Usage: {UsageOf(command)}\n");
        foreach (var paragraph in command.Paragraphs)
        {
            page.Append('\n').Append(paragraph.ReplaceLineEndings("\n").TrimEnd()).Append('\n');
        }

        Section(page, "Arguments", [.. command.Arguments.Select(argument => (argument.Name, argument.Help))]);
        Section(page, "Examples", [.. command.Examples.Select(example => ("actortrainer " + example.Line, example.Help))]);
        if (command.TakesConfiguration)
        {
            if (command.Defaults.Count > 0)
            {
                page.Append($"\nStarts from: {string.Join(' ', command.Defaults)}\n");
            }

            foreach (var group in ConfigSchema.Groups.Where(group => command.Accepts is null || command.Accepts.Contains(group)))
            {
                Choices(page, group);
            }

            Section(page, "Keys used most", [.. command.Keys.Select(name => KeyLine(ConfigSchema.Find(name)!, command))]);
            page.Append("\nAll keys: actortrainer help keys. The merged result: actortrainer config" + (command.Name == "config" ? "" : " " + command.Name) + " …\n");
        }

        Section(page, "Options", [.. command.Options.Concat(CommandLine.CommonOptions).Select(option => (Written(option), option.Help))]);
        ExitCodes(page, command.Done, command.Failed);
        return page.ToString();
    }

    private string Group(string group)
    {
        var page = new StringBuilder($"Group {group}: {group}=CHOICE sets the keys of {group}, {group}.KEY=VALUE one of them.\n");
        Choices(page, group);
        page.Append("\nKeys:\n");
        KeyList(page, ConfigSchema.Keys.Where(key => key.Section == group));
        return page.ToString();
    }

    private string AllKeys()
    {
        var page = new StringBuilder("All keys, with their defaults and allowed values.\n");
        KeyList(page, ConfigSchema.Keys);
        return page.ToString();
    }

    private void KeyList(StringBuilder page, IEnumerable<ConfigKey> keys)
    {
        foreach (var key in keys)
        {
            page.Append($"\n  {key.Name} = {Default(key)}\n");
            Wrap(page, library.HelpOf(key), 6, 100);
            Wrap(page, $"Allowed: {key.Type.Domain}", 6, 100);
        }
    }

    private void Choices(StringBuilder page, string group) =>
        Section(page, $"{group}=", [.. library.Choices(group).Select(choice => (choice.Name, choice.Heading))]);

    /// <summary>A key with its first sentence and its default, the command's own one where it has one.</summary>
    private (string Name, string Help) KeyLine(ConfigKey key, CommandDescription command)
    {
        var help = library.HelpOf(key);
        var end = help.IndexOf(". ", StringComparison.Ordinal);
        var own = command.Defaults.FirstOrDefault(word => word.StartsWith(key.Name + "=", StringComparison.Ordinal));
        return (key.Name, $"{(end < 0 ? help.TrimEnd('.') : help[..end])} ({own?[(key.Name.Length + 1)..] ?? Default(key)})");
    }

    private string Default(ConfigKey key) =>
        library.DefaultOf(key) is { } text && key.Type.Parse(text, out var value) is null ? key.Type.Format(value) : "?";

    private static bool TakesGroups(CommandDescription command) =>
        command.Accepts is null || command.Accepts.Any(accepted => ConfigSchema.Groups.Contains(accepted));

    private static string Written(CommandOption option) =>
        option.Value is null ? option.Name : option.Name + (option.Name.StartsWith('-') ? " " : "=") + option.Value;

    private static void ExitCodes(StringBuilder page, string done, string failed) =>
        Section(page, "Exit codes", [("0", done), ("1", failed), ("2", "input or configuration refused; nothing was started")]);

    /// <summary>A titled table of two columns; a first column above 40 characters has the help below it.</summary>
    private static void Section(StringBuilder page, string title, IReadOnlyList<(string Left, string Right)> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        page.Append($"\n{title}{(title.EndsWith('=') ? "" : ":")}\n");
        var wide = rows.Max(row => row.Left.Length) > 40;
        var width = rows.Max(row => row.Left.Length) + 2;
        foreach (var (left, right) in rows)
        {
            page.Append(wide ? $"  {left}\n      {right}\n" : $"  {left.PadRight(width)}{right}\n");
        }
    }

    private static void Wrap(StringBuilder page, string text, int indent, int width)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && indent + line.Length + 1 + word.Length > width)
            {
                page.Append(' ', indent).Append(line).Append('\n');
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        page.Append(' ', indent).Append(line).Append('\n');
    }
}
