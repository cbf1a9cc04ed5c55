using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Configuration;

/// <summary>A group file.</summary>
/// <param name="Name">As in <c>arch=NAME</c>.</param>
/// <param name="Path">Its file.</param>
/// <param name="Heading">What it is for: the comment in its first line.</param>
public sealed record ConfigChoice(string Name, string Path, string Heading);

/// <summary>The folders of configuration files: reference.conf and <c>GROUP/CHOICE.conf</c>.</summary>
public sealed class ConfigLibrary
{
    private readonly IReadOnlyList<string> _folders;

    private ConfigLibrary(IReadOnlyList<string> folders, HoconFile reference)
    {
        _folders = folders;
        Reference = reference;
    }

    /// <summary>Every key with its default.</summary>
    public HoconFile Reference { get; }

    /// <summary>Opens the files beside the program, with a folder of the user's in front.</summary>
    /// <param name="userFolder">Its choices are added, and hide the program's of the same name.</param>
    /// <exception cref="RefusedException">The user's folder does not exist or holds no group, or reference.conf is missing.</exception>
    public static ConfigLibrary Open(string? userFolder = null)
    {
        var own = Path.Combine(AppContext.BaseDirectory, "hocon");
        if (userFolder is null)
        {
            return new ConfigLibrary([own], HoconFile.Read(Path.Combine(own, "reference.conf")));
        }

        if (!ConfigSchema.Groups.Any(group => Directory.Exists(Path.Combine(userFolder, group))))
        {
            throw new RefusedException(
                $"--config-dir {userFolder}: expected a folder with a subfolder per group ({string.Join(", ", ConfigSchema.Groups)}), found "
                + (Directory.Exists(userFolder) ? "none of them there." : "no such folder."));
        }

        return new ConfigLibrary([userFolder, own], HoconFile.Read(Path.Combine(own, "reference.conf")));
    }

    /// <summary>Choices of a group in alphabetical order.</summary>
    public IReadOnlyList<ConfigChoice> Choices(string group) =>
    [
        .. _folders.Select(folder => Path.Combine(folder, group))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.conf"))
            .DistinctBy(Path.GetFileNameWithoutExtension)
            .OrderBy(Path.GetFileNameWithoutExtension, StringComparer.Ordinal)
            .Select(path => new ConfigChoice(Path.GetFileNameWithoutExtension(path), path, Heading(path))),
    ];

    /// <summary>The help line of a key: its comment in reference.conf, without the allowed values.</summary>
    public string HelpOf(ConfigKey key)
    {
        var comment = Reference.Entries.FirstOrDefault(entry => entry.Key == key.Name)?.Comment ?? "";
        return comment.EndsWith($"[{key.Type.Domain}]", StringComparison.Ordinal) ? comment[..^(key.Type.Domain.Length + 2)].Trim() : comment;
    }

    /// <summary>The default of a key, as reference.conf has it; null when it lacks the key.</summary>
    public string? DefaultOf(ConfigKey key) => Reference.Entries.FirstOrDefault(entry => entry.Key == key.Name)?.Text;

    /// <summary>Only the first line is read, so that one broken file does not take the help away.</summary>
    private static string Heading(string path) =>
        File.ReadLines(path).FirstOrDefault() is { } first && first.StartsWith('#') ? first.TrimStart('#').Trim() : "";
}
