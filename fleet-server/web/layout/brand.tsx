/** The sign and the name. */
import classes from './layout.module.css';

export function Brand({ isShort = false }: { readonly isShort?: boolean }) {
  return (
    <span className={classes['brand']}>
      <img src="/favicon.svg" width={28} height={28} alt="" />
      <span className={isShort ? classes['brandName'] : undefined}>MakeSpaceLive</span>
    </span>
  );
}
