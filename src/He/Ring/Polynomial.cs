namespace ActorTrainer.He.Ring;

/// <summary>
/// A polynomial by its limbs, in pooled native memory until it is disposed. Limbs are those of q₀ … q_ℓ, and after them, where
/// <see cref="HasSpecial"/>, those of P. Pointers to limbs do not keep it alive: who takes them does (GC.KeepAlive), or holds it in a using.
/// </summary>
public sealed unsafe class Polynomial : IDisposable
{
    private readonly LimbPool _pool;
    private readonly int _capacity;
    private readonly int _strideBytes;
    private readonly bool _secret;
    private byte* _block;

    internal Polynomial(LimbPool pool, int limbs, bool hasSpecial, bool secret)
    {
        (_pool, _capacity, _strideBytes, _secret, Limbs, HasSpecial) = (pool, limbs, pool.StrideBytes, secret, limbs, hasSpecial);
        _block = pool.Take(limbs);
    }

    ~Polynomial()
    {
        if (_block is not null)
        {
            LimbPool.Abandon(_block, _capacity, _strideBytes, _secret);
        }
    }

    /// <summary>Limbs, special ones included.</summary>
    public int Limbs { get; }

    public bool HasSpecial { get; }

    /// <exception cref="ObjectDisposedException">It was disposed.</exception>
    internal void* this[int limb]
    {
        get
        {
            ObjectDisposedException.ThrowIf(_block is null, this);
            return (uint)limb < (uint)Limbs ? _block + ((long)limb * _strideBytes) : throw new ArgumentOutOfRangeException(nameof(limb), limb, $"There are {Limbs} limbs.");
        }
    }

    public void Dispose()
    {
        if (_block is not null)
        {
            _pool.Return(_block, _capacity, _secret);
            _block = null;
        }

        GC.SuppressFinalize(this);
    }
}
