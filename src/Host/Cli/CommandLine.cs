using System.Text.RegularExpressions;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Cli;

/// <summary>The words after <c>actortrainer</c>, sorted.</summary>
public sealed partial record CommandLine
{
    /// <summary>Options that every command takes.</summary>
    public static IReadOnlyList<CommandOption> CommonOptions { get; } =
    [
        new("--config-dir", "folder of your own group files, DIR/GROUP/CHOICE.conf; they hide the program's of the same name", "DIR"),
        new("--trace", "show where in the program a failure arose (also ACTORTRAINER_TRACE=1)"),
        new("--help", "this help (also -h)"),
        new("--version", "versions of the program and its libraries"),
    ];

    /// <summary>Name of the command; null when none was given.</summary>
    public string? Command { get; private init; }

    /// <summary>Words by position, after the command.</summary>
    public IReadOnlyList<string> Arguments { get; private init; } = [];

    /// <summary><c>group=choice</c> and <c>key=value</c> words.</summary>
    public IReadOnlyList<string> Assignments { get; private init; } = [];

    /// <summary>Options, common ones and the command's own; a switch has an empty value.</summary>
    public IReadOnlyDictionary<string, string> Options { get; private init; } = new Dictionary<string, string>();

    /// <summary>Sorts words.</summary>
    /// <exception cref="RefusedException">An unknown command, an unknown, double or valueless option, a setting before the command.</exception>
    public static CommandLine Parse(IReadOnlyList<string> words, CommandTable table)
    {
        string? command = null;
        var arguments = new List<string>();
        var assignments = new List<string>();
        var options = new Dictionary<string, string>();
        var known = CommonOptions;
        var plainFromHere = false;
        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            if (word == "--" && !plainFromHere)
            {
                plainFromHere = true;
            }
            else if (word.Length > 1 && word[0] == '-' && !plainFromHere)
            {
                var sign = word.IndexOf('=');
                var option = FindOption(sign < 0 ? word : word[..sign], known);
                var value = sign >= 0 ? word[(sign + 1)..] : option.Value is not null && i + 1 < words.Count ? words[++i] : null;
                Add(options, option, value);
            }
            else if (!plainFromHere && Setting().IsMatch(word))
            {
                if (command is null)
                {
                    throw new RefusedException($"{word}: a setting comes after the command, as in 'actortrainer pretrain {word}'. Commands: {string.Join(", ", table.Names)}");
                }

                var name = word[..word.IndexOf('=')];
                if (known.FirstOrDefault(option => option.Name == name) is { } own)
                {
                    Add(options, own, word[(name.Length + 1)..]);
                }
                else
                {
                    assignments.Add(word);
                }
            }
            else if (command is null)
            {
                command = word;
                known = [.. CommonOptions, .. FindCommand(word, table)?.Description.Options ?? []];
            }
            else
            {
                arguments.Add(word);
            }
        }

        return new CommandLine { Command = command, Arguments = arguments, Assignments = assignments, Options = options };
    }

    /// <summary>Refuses words that a command does not take.</summary>
    /// <exception cref="RefusedException">Too many or too few words by position, or settings where none are read.</exception>
    public void CheckFor(CommandDescription command)
    {
        if (!command.TakesConfiguration && Assignments.Count > 0)
        {
            throw new RefusedException($"{Assignments[0]}: {command.Name} takes no settings.");
        }

        if (Arguments.Count > command.Arguments.Count)
        {
            throw new RefusedException(UnexpectedWord(Arguments[command.Arguments.Count], command));
        }

        if (Arguments.Count < command.Arguments.Count && command.Arguments[Arguments.Count] is { Required: true } missing)
        {
            throw new RefusedException($"{command.Name}: {missing.Name} is missing: {missing.Help}. Usage: {HelpText.UsageOf(command)}");
        }
    }

    /// <summary>The command of that name; null for <c>help</c>, which is no entry of the table.</summary>
    /// <exception cref="RefusedException">There is none; names the nearest.</exception>
    public static ICommand? FindCommand(string name, CommandTable table)
    {
        if (name == "help")
        {
            return null;
        }

        if (table.Find(name) is { } found)
        {
            return found;
        }

        var nearest = Spelling.Nearest(name, [.. table.Names, "help"]) is { } near ? $"; did you mean {near}?" : ".";
        throw new RefusedException($"{name}: there is no command {name}{nearest} Commands: {string.Join(", ", table.Names)}, help");
    }

    private static CommandOption FindOption(string name, IReadOnlyList<CommandOption> known)
    {
        var full = name is "-h" or "-?" ? "--help" : name;
        if (known.FirstOrDefault(option => option.Name == full) is { } found)
        {
            return found;
        }

        var names = known.Select(option => option.Name).Where(option => option.StartsWith('-')).ToList();
        var nearest = Spelling.Nearest(name, names) is { } near ? $"; did you mean {near}?" : ".";
        throw new RefusedException($"{name}: there is no option {name}{nearest} Options: {string.Join(", ", names)}. Settings are written without dashes: key=value");
    }

    private static void Add(Dictionary<string, string> options, CommandOption option, string? value)
    {
        if (option.Value is null && value is not null)
        {
            throw new RefusedException($"{option.Name} takes no value, found '{value}'.");
        }

        if (option.Value is not null && string.IsNullOrEmpty(value))
        {
            throw new RefusedException($"{option.Name} needs a value: {option.Name}{(option.Name.StartsWith('-') ? " " : "=")}{option.Value}.");
        }

        if (!options.TryAdd(option.Name, value ?? ""))
        {
            throw new RefusedException($"{option.Name} is given twice; keep one.");
        }
    }

    private static string UnexpectedWord(string word, CommandDescription command)
    {
        if (command.TakesConfiguration && (ConfigSchema.Find(word) is not null || ConfigSchema.Groups.Contains(word)))
        {
            return $"{word} has no value; write {word}=…, without spaces around the sign.";
        }

        var hint = command.TakesConfiguration && Spelling.NearestKeys(word, [.. ConfigSchema.Groups, .. ConfigSchema.Keys.Select(key => key.Name)]) is { Count: > 0 } near
            ? $" Did you mean {string.Join(" or ", near.Select(key => key + "=…"))}?"
            : "";
        return $"{word}: {command.Name} takes no such word.{hint} Usage: {HelpText.UsageOf(command)}";
    }

    [GeneratedRegex(@"\A[A-Za-z_+~][A-Za-z0-9_.-]*=", RegexOptions.Singleline)]
    private static partial Regex Setting();
}
