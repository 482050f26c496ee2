namespace Nacelle.Linux;

/// <summary>Carries a plan out: the only code between a process's birth and its exec. It allocates nothing, takes no lock and throws nothing.</summary>
/// <remarks>The runner is compiled from this file too: see Nacelle.Runner.</remarks>
static unsafe class PlanSteps
{
    const int EINTR = 4, EAGAIN = 11, ECANCELED = 125, OpenAt2 = 437, LastErrno = 4095;
    const ulong All = ~0UL;

    /// <summary>Makes the offsets in the plan's data addresses, once, where the plan now lies.</summary>
    public static void Relocate(byte* plan)
    {
        var header = (PlanLayout.Header*)plan;
        byte* data = Data(plan);
        var relocations = (int*)(data + header->DataLength);
        for (int i = 0; i < header->RelocationCount; i++)
        {
            *(long*)(data + relocations[i]) += (nint)data;
        }
    }

    /// <summary>Runs the steps until one fails, which the plan's header then names.</summary>
    /// <returns>Whether all went well.</returns>
    public static bool Run(byte* plan)
    {
        var header = (PlanLayout.Header*)plan;
        var steps = (PlanLayout.Step*)(plan + PlanLayout.HeaderSize);
        byte* data = Data(plan);
        int count = header->StepCount;
        for (int i = 0; i < count; i++)
        {
            var step = &steps[i];
            if (step->Number == PlanLayout.Require)
            {
                // SAFETY: the address was made by this plan, which keeps it within the data.
                if ((*(ulong*)(data + step->A) & (ulong)step->B) == (ulong)step->C)
                {
                    continue;
                }

                return Fail(header, i, (int)step->D);
            }

            if (step->Number == PlanLayout.Decimal)
            {
                WriteDecimal(Value(step->A, step->Kinds, data), (byte*)Value(step->B, step->Kinds >> 2, data));
                continue;
            }

            nint result = RawCall.Invoke(
                step->Number,
                Value(step->A, step->Kinds, data),
                Value(step->B, step->Kinds >> 2, data),
                Value(step->C, step->Kinds >> 4, data),
                Value(step->D, step->Kinds >> 6, data),
                Value(step->E, step->Kinds >> 8, data),
                Value(step->F, step->Kinds >> 10, data));
            if (result >= step->Minimum)
            {
                i += step->SkipOnSuccess;
            }
            else if (result is >= 0 or < -LastErrno)
            {
                return Fail(header, i, ECANCELED);
            }
            else
            {
                int errno = -(int)result;
                if (errno == EINTR || (errno == EAGAIN && step->Number == OpenAt2))
                {
                    i--; // openat2 says EAGAIN when a rename raced with a ".."; see openat2(2), RESOLVE_IN_ROOT
                    continue;
                }

                if (step->Tolerated != All && (errno >= 64 || (step->Tolerated & (1UL << errno)) == 0))
                {
                    return Fail(header, i, errno);
                }

                i += step->SkipOnFailure;
            }

            if (step->Result >= 0)
            {
                *(long*)(data + step->Result) = result;
            }
        }

        return true;
    }

    /// <summary>Writes a number that is not negative, with a zero behind it; the plan has made room.</summary>
    static void WriteDecimal(nint number, byte* text)
    {
        int digits = 1;
        for (nint rest = number / 10; rest > 0; rest /= 10)
        {
            digits++;
        }

        text[digits] = 0;
        for (; digits > 0; number /= 10)
        {
            text[--digits] = (byte)('0' + (number % 10));
        }
    }

    static byte* Data(byte* plan) => plan + PlanLayout.HeaderSize + (((PlanLayout.Header*)plan)->StepCount * PlanLayout.StepSize);

    static bool Fail(PlanLayout.Header* header, int step, int errno)
    {
        header->Errno = errno;
        header->FailedStep = step;
        return false;
    }

    static nint Value(long value, uint kind, byte* data) =>
        (kind & 3) == 0 ? (nint)value : (kind & 3) == 1 ? (nint)(data + value) : (nint)(*(long*)(data + value));
}
