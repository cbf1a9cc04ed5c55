using System.Buffers;
using System.Collections.Concurrent;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Actors.Objects;

/// <summary>
/// Unit states that one node holds, a <see cref="ContentStore"/> for each run under <c>&lt;folder&gt;/&lt;run&gt;/store</c>. Every object is
/// marked with the step of the checkpoint it belongs to, so that a late <see cref="Keep"/> never removes what is being saved. Several
/// threads, and several processes that share the folder, may use it at a time.
/// </summary>
public sealed class NodeStore
{
    /// <summary>Longest run id.</summary>
    public const int MaxRunLength = 64;

    private const int BufferBytes = 1 << 18;

    private readonly string _folder;
    private readonly ConcurrentDictionary<string, ContentStore> _runs = [];

    /// <summary>Opens the stores in a folder, making it when there is none, and removes what killed writers left behind.</summary>
    public NodeStore(string folder)
    {
        _folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(_folder);
        foreach (var run in Directory.EnumerateDirectories(_folder).Select(path => Path.GetFileName(path)))
        {
            _ = Existing(run);
        }
    }

    /// <summary>Whether a text, perhaps from a stranger, can be a run id: 1 to 64 letters, digits, '-' and '_' (ASCII). Such a name stays inside the folder.</summary>
    public static bool IsRun(string? text) =>
        text is { Length: > 0 and <= MaxRunLength } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    /// <summary>Stores what <paramref name="write"/> writes for the checkpoint of a step and returns its hash.</summary>
    /// <exception cref="RefusedException">The run id is none.</exception>
    public string Put(string run, long step, Action<Stream> write) => Of(run).Put(write, step);

    /// <summary>Stores the next <paramref name="length"/> bytes of a stream; a damaged object of that name is replaced.</summary>
    /// <param name="run">Run id.</param>
    /// <param name="step">Step of the checkpoint; <see cref="ContentStore.NoGeneration"/>: older than all.</param>
    /// <param name="hash">Hash that the bytes must have.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="stream">Where they come from; no byte beyond them is read.</param>
    /// <exception cref="InvalidDataException">The bytes have another hash, or end early. Nothing has been stored.</exception>
    /// <exception cref="RefusedException">The run id is none.</exception>
    public void Receive(string run, long step, string hash, long length, Stream stream)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Of(run).Put(hash, to => Copy(stream, to, length), step);
    }

    /// <summary>Those of the hashes that are here; their content is not looked at.</summary>
    public IReadOnlyList<string> Holds(string run, IEnumerable<string> hashes) =>
        Existing(run) is { } store ? [.. hashes.Where(hash => ContentStore.IsHash(hash) && store.Contains(hash))] : [];

    /// <summary>File of an object, whether it is there or not.</summary>
    public string PathOf(string run, string hash) => Of(run).PathOf(hash);

    /// <summary>Step of the latest checkpoint that an object was stored for; <see cref="ContentStore.NoGeneration"/> when none is known.</summary>
    public long StepOf(string run, string hash) => Existing(run)?.GenerationOf(hash) ?? ContentStore.NoGeneration;

    /// <summary>File of an object whose content has been checked against its name.</summary>
    /// <exception cref="RefusedException">There is no such object, or it is damaged.</exception>
    public string Verified(string run, string hash) => Of(run).Verified(hash);

    /// <summary>Opens an object for reading, after its content has been checked against its name.</summary>
    /// <exception cref="RefusedException">There is no such object, or it is damaged.</exception>
    public Stream Open(string run, string hash) =>
        (Existing(run) ?? throw new RefusedException($"Nothing of run {run} is stored here.")).Open(hash);

    /// <summary>Takes an object that is here into the checkpoint of a step, if it is undamaged.</summary>
    /// <returns>False: it is not here, or damaged.</returns>
    public bool Adopt(string run, long step, string hash)
    {
        if (Existing(run) is not { } store || !store.Raise(hash, step))
        {
            return false;
        }

        try
        {
            _ = store.Verified(hash);
            return true;
        }
        catch (RefusedException)
        {
            return false;
        }
    }

    /// <summary>
    /// Removes objects that are neither named nor of a checkpoint after <paramref name="step"/>. Names that are no hashes keep nothing, an
    /// unknown run is no error.
    /// </summary>
    /// <returns>Bytes freed.</returns>
    public long Keep(string run, long step, IEnumerable<string> hashes) =>
        Existing(run)?.Collect(hashes.Where(ContentStore.IsHash), step) ?? 0;

    /// <summary>Removes a run with all its objects; nobody may be using it.</summary>
    public void Drop(string run)
    {
        if (Existing(run) is not null)
        {
            _runs.TryRemove(run, out _);
            Directory.Delete(FolderOf(run), recursive: true);
        }
    }

    /// <summary>The store of a run; made when there is none.</summary>
    /// <exception cref="RefusedException">The run id is none.</exception>
    private ContentStore Of(string run) => IsRun(run)
        ? _runs.GetOrAdd(run, name => new ContentStore(Path.Combine(FolderOf(name), "store")))
        : throw new RefusedException($"\"{Shorten(run)}\" is no run id: expected are 1 to {MaxRunLength} letters, digits, '-' and '_'.");

    /// <summary>The store of a run, null when there is none: what strangers ask for makes no folders.</summary>
    private ContentStore? Existing(string run) => IsRun(run) && Directory.Exists(Path.Combine(FolderOf(run), "store")) ? Of(run) : null;

    private string FolderOf(string run) => Path.Combine(_folder, run);

    private static string Shorten(string text) => text.Length <= MaxRunLength ? text : $"{text[..MaxRunLength]}…";

    private static void Copy(Stream from, Stream to, long length)
    {
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(length, 1, BufferBytes));
        try
        {
            for (var left = length; left > 0;)
            {
                var read = from.Read(buffer, 0, (int)Math.Min(left, buffer.Length));
                if (read == 0)
                {
                    throw new InvalidDataException($"the bytes end after {length - left} of {length}");
                }

                to.Write(buffer, 0, read);
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
