using ActorTrainer.Model.Common;
using ActorTrainer.Model.Data;

namespace ActorTrainer.Host.Configuration;

/// <summary>
/// Merges the layers of a configuration: reference.conf, the command's defaults, the user's group choices, the user's keys.
/// Everything that is wrong is found before anything is refused, so that the user reads it once.
/// </summary>
public sealed class ConfigResolver
{
    private readonly ConfigLibrary _library;
    private readonly ConfigProfile _profile;
    private readonly Dictionary<string, ConfigValue> _values = [];
    private readonly List<string> _problems = [];

    private ConfigResolver(ConfigLibrary library, ConfigProfile profile)
    {
        _library = library;
        _profile = profile;
    }

    private static IEnumerable<string> TopLevel => ConfigSchema.Keys.Where(key => key.Section.Length == 0).Select(key => key.Name);

    /// <summary>The configuration of a command.</summary>
    /// <param name="library">Where the files are.</param>
    /// <param name="profile">The command's own part.</param>
    /// <param name="assignments">The user's <c>group=choice</c> and <c>key=value</c> words, in any order.</param>
    /// <exception cref="RefusedException">Names every unknown key or choice, every double one and every value that is not allowed.</exception>
    public static ResolvedConfiguration Resolve(ConfigLibrary library, ConfigProfile profile, IReadOnlyList<string> assignments)
    {
        var resolver = new ConfigResolver(library, profile);
        var user = resolver.Split(assignments);
        var defaults = profile.Defaults.Select(SplitOne).ToList();
        var label = profile.Command + " defaults";

        resolver.ApplyFile(library.Reference, "", "reference.conf");
        foreach (var (group, choice) in defaults.Where(word => IsGroup(word.Key) && user.All(other => other.Key != word.Key)))
        {
            resolver.ApplyGroup(group, choice, $"{label} ({group}={choice})");
        }

        foreach (var (key, text) in defaults.Where(word => !IsGroup(word.Key)))
        {
            resolver.ApplyKey(key, text, label, "");
        }

        foreach (var (group, choice) in user.Where(word => IsGroup(word.Key)))
        {
            resolver.ApplyGroup(group, choice, $"{group}={choice}");
        }

        foreach (var (key, text) in user.Where(word => !IsGroup(word.Key)))
        {
            resolver.ApplyKey(key, text, "command line", "");
        }

        resolver.ThrowIfProblems();
        resolver.DeriveSource(user);
        resolver.RefuseMissing();

        var values = ConfigSchema.Keys.Select(key => resolver._values[key.Name]).ToList();
        var run = ConfigBinder.Bind(values);
        resolver._problems.AddRange(ConfigChecks.Problems(run, profile.ReadsModel));
        resolver.ThrowIfProblems();
        return new ResolvedConfiguration(values, run);
    }

    private static bool IsGroup(string key) => ConfigSchema.Groups.Contains(key);

    private static bool IsSecret(string key) => ConfigSchema.Find(key) is { Secret: true };

    /// <summary>A value inside a complaint; a secret is not repeated.</summary>
    private static string Shown(string key, string text) => IsSecret(key) ? "…" : text;

    private static (string Key, string Text) SplitOne(string assignment)
    {
        var sign = assignment.IndexOf('=');
        return sign < 0 ? (assignment, "") : (assignment[..sign].Trim(), assignment[(sign + 1)..].Trim());
    }

    /// <summary>The user's words without those that the command does not read or that come a second time.</summary>
    private List<(string Key, string Text)> Split(IReadOnlyList<string> assignments)
    {
        var kept = new List<(string Key, string Text)>();
        foreach (var word in assignments.Select(SplitOne))
        {
            if (kept.FirstOrDefault(other => other.Key == word.Key) is { Key: not null } twin)
            {
                _problems.Add(IsSecret(word.Key)
                    ? $"{word.Key} is given twice; keep one of them."
                    : $"{word.Key} is given twice, as {twin.Key}={twin.Text} and as {word.Key}={word.Text}; keep one of them.");
            }
            else if (_profile.Accepts is { } accepts
                && (IsGroup(word.Key) || ConfigSchema.Find(word.Key) is not null)
                && !accepts.Any(accepted => accepted == word.Key || word.Key.StartsWith(accepted + ".", StringComparison.Ordinal)))
            {
                _problems.Add($"{word.Key}={Shown(word.Key, word.Text)}: {_profile.Command} does not read {word.Key}; it reads {string.Join(", ", accepts)}.");
            }
            else
            {
                kept.Add(word);
            }
        }

        return kept;
    }

    private void ApplyGroup(string group, string choice, string origin)
    {
        var choices = _library.Choices(group);
        if (choices.FirstOrDefault(other => other.Name == choice) is { } found)
        {
            ApplyFile(HoconFile.Read(found.Path), group + ".", origin);
            return;
        }

        var names = choices.Select(other => other.Name).ToList();
        var nearest = Spelling.Nearest(choice, names) is { } near ? $"; did you mean {group}={near}?" : ".";
        _problems.Add($"{group}={choice}: there is no choice {(choice.Length == 0 ? "without a name" : choice)} of {group}{nearest} Choices: {string.Join(", ", names)}");
    }

    private void ApplyFile(HoconFile file, string prefix, string origin)
    {
        foreach (var entry in file.Entries)
        {
            ApplyKey(prefix + entry.Key, entry.Text, origin, $"{file.Path}({entry.Line}): ");
        }
    }

    private void ApplyKey(string name, string text, string origin, string place)
    {
        if (ConfigSchema.Find(name) is not { } key)
        {
            _problems.Add(place + UnknownKey(name, text));
        }
        else if (key.Type.Parse(text, out var value) is { } complaint)
        {
            var nearest = key.Type.Nearest(text) is { } near ? $"; did you mean {near}? Allowed" : "; allowed";
            var byDefault = _library.DefaultOf(key) is { Length: > 0 } usual ? $" (default {usual})" : "";
            _problems.Add($"{place}{name}={Shown(name, text)}: the value {complaint}{nearest}: {key.Type.Domain}{byDefault}");
        }
        else
        {
            _values[name] = new ConfigValue(key, value, origin);
        }
    }

    private static string UnknownKey(string name, string text)
    {
        var inside = ConfigSchema.Keys.Where(key => key.Name.StartsWith(name + ".", StringComparison.Ordinal)).ToList();
        if (inside.Count > 0)
        {
            return $"{name}={text}: {name} is a section, its keys are {string.Join(", ", inside.Select(key => key.Name))}";
        }

        var near = Spelling.NearestKeys(name, [.. ConfigSchema.Groups, .. ConfigSchema.Keys.Select(key => key.Name)]);
        var question = near.Count > 0 ? $"; did you mean {string.Join(" or ", near)}?" : ".";
        var section = name.Contains('.') ? name[..name.IndexOf('.')] : "";
        var allowed = ConfigSchema.Groups.Contains(section)
            ? $"Keys of {section}: {string.Join(", ", ConfigSchema.Keys.Where(key => key.Section == section).Select(key => key.Name[(section.Length + 1)..]))}"
            : $"Groups: {string.Join(", ", ConfigSchema.Groups)}; keys outside them: {string.Join(", ", TopLevel)}";
        return $"{name}={text}: there is no key {name}{question} {allowed}";
    }

    /// <summary>
    /// <c>data.path</c> alone is enough: the kind of source follows from the file names there, unless the user chose a kind.
    /// </summary>
    private void DeriveSource(IReadOnlyList<(string Key, string Text)> user)
    {
        var path = user.FirstOrDefault(word => word.Key == "data.path").Text;
        if (!string.IsNullOrEmpty(path) && user.All(word => word.Key is not ("data" or "data.source")))
        {
            _values["data.source"] = new ConfigValue(ConfigSchema.Find("data.source")!, SourceOf(path), "from data.path");
        }
    }

    private static DataSourceKind SourceOf(string path)
    {
        bool Holds(string ending) => Directory.Exists(path)
            ? Directory.EnumerateFiles(path, "*" + ending).Any()
            : path.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
        return Holds(".txt") ? DataSourceKind.Text
            : Holds(".jsonl") ? DataSourceKind.Jsonl
            : Holds(".parquet") ? DataSourceKind.Parquet
            : DataSourceKind.Text;
    }

    /// <summary>A key without a default is a fault of reference.conf, not of the user's; it is still said plainly.</summary>
    private void RefuseMissing()
    {
        foreach (var key in ConfigSchema.Keys.Where(key => !_values.ContainsKey(key.Name)))
        {
            _problems.Add($"{_library.Reference.Path}: the default of {key.Name} is missing.");
        }

        ThrowIfProblems();
    }

    private void ThrowIfProblems()
    {
        if (_problems.Count > 0)
        {
            throw new RefusedException(_problems.Count == 1
                ? _problems[0]
                : $"{_problems.Count} problems in the configuration:\n" + string.Join('\n', _problems.Select(problem => "  " + problem)));
        }
    }
}
