using System.IO.Enumeration;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>The files of a corpus in reading order; both lists are empty for sample text.</summary>
internal sealed record CorpusFiles(IReadOnlyList<string> Train, IReadOnlyList<string> HeldOut)
{
    private static readonly CorpusFiles None = new([], []);

    /// <summary>Finds the files that the options name.</summary>
    /// <exception cref="RefusedException">A path is missing, names no fitting file, or everything is held out.</exception>
    public static CorpusFiles Resolve(DataOptions options)
    {
        if (options.Source == DataSourceKind.Sample)
        {
            return options.ValidPath.Length == 0
                ? None
                : throw new RefusedException(
                    $"data.valid_path={options.ValidPath}: data.source=sample takes its held-out part from data.held_out_fraction; "
                    + "set another data.source or drop data.valid_path.");
        }

        var train = Resolve(options.Path, options.Source, "data.path");
        if (options.ValidPath.Length == 0)
        {
            return new(train, []);
        }

        var heldOut = Resolve(options.ValidPath, options.Source, "data.valid_path");
        var held = heldOut.Select(Real).ToHashSet(StringComparer.Ordinal);
        var rest = train.Where(file => !held.Contains(Real(file))).ToList();
        return rest.Count > 0
            ? new(rest, heldOut)
            : throw new RefusedException(
                $"data.path={options.Path}: every file of it is held out by data.valid_path={options.ValidPath}, so nothing is left to train on.");
    }

    /// <summary>Files of one path: the file itself, the files of a folder that end in the source's extension, or those that match a pattern.</summary>
    private static List<string> Resolve(string path, DataSourceKind source, string key)
    {
        var extension = Extension(source);
        if (path.Length == 0)
        {
            throw new RefusedException(
                $"{key} is empty: data.source={Name(source)} needs a file, a folder of *{extension} files or a pattern such as dir/train-*{extension}.");
        }

        if (File.Exists(path))
        {
            return [path];
        }

        if (Directory.Exists(path))
        {
            var files = Names(path).Where(name => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)).ToList();
            return files.Count > 0
                ? files.ConvertAll(name => Path.Combine(path, name))
                : throw new RefusedException($"{key}={path}: the folder holds no *{extension} file{OtherContent(path, extension)}.");
        }

        var folder = Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".";
        var last = Path.GetFileName(path);
        if (!Directory.Exists(folder))
        {
            throw new RefusedException($"{key}={path}: there is no folder {folder}.");
        }

        var isPattern = last.AsSpan().ContainsAny('*', '?');
        if (isPattern)
        {
            var matches = Names(folder).Where(name => FileSystemName.MatchesSimpleExpression(last, name, ignoreCase: false)).ToList();
            if (matches.Count > 0)
            {
                return matches.ConvertAll(name => Path.Combine(folder, name));
            }
        }

        var names = Directory.EnumerateFileSystemEntries(folder).Select(entry => Path.GetFileName(entry)!);
        var nearest = NearestName.Of(last, names);
        throw new RefusedException(
            $"{key}={path}: {(isPattern ? "no file matches" : "no such file or folder")}"
            + (nearest is null ? "." : $"; the nearest name there is {nearest}."));
    }

    /// <summary>Names of a folder's files in ordinal order, hidden ones left out.</summary>
    private static List<string> Names(string folder) =>
        [.. Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)!).Where(name => !name.StartsWith('.')).Order(StringComparer.Ordinal)];

    private static string OtherContent(string folder, string extension)
    {
        var other = new[] { DataSourceKind.Text, DataSourceKind.Jsonl, DataSourceKind.Parquet }.FirstOrDefault(
            kind => Names(folder).Exists(name => name.EndsWith(Extension(kind), StringComparison.OrdinalIgnoreCase)));
        if (other != DataSourceKind.Sample)
        {
            return $", but *{Extension(other)} files: set data.source={Name(other)}";
        }

        var below = Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).FirstOrDefault(
            child => Names(child).Exists(name => name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)));
        return below is null ? "" : $" itself (folders inside it are not read); point it at {below}";
    }

    private static string Extension(DataSourceKind source) => source switch
    {
        DataSourceKind.Jsonl => ".jsonl",
        DataSourceKind.Parquet => ".parquet",
        _ => ".txt",
    };

    private static string Name(DataSourceKind source) => source.ToString().ToLowerInvariant();

    private static string Real(string file) =>
        File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(file);
}
